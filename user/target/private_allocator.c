// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "target/private_allocator.h"

struct known_function {
	const char *name;
	enum probe_kind kind;
};

/*
 * jemalloc's, which come with a prefix (jemalloc(3)). xallocx() only resizes in place: a block
 * keeps the size that was asked for first.
 */
static const struct known_function jemalloc[] = {
	{"malloc", PROBE_MALLOC},
	{"calloc", PROBE_CALLOC},
	{"realloc", PROBE_REALLOC},
	{"free", PROBE_FREE},
	{"posix_memalign", PROBE_POSIX_MEMALIGN},
	{"aligned_alloc", PROBE_MEMALIGN},
	{"memalign", PROBE_MEMALIGN},
	{"valloc", PROBE_MALLOC},
	{"mallocx", PROBE_MALLOC},
	{"rallocx", PROBE_REALLOC},
	{"dallocx", PROBE_FREE},
	{"sdallocx", PROBE_FREE},
};

/* A linker leaves out what is not called, as free() in polars. What is left must make blocks, and
 * free them. */
static const char *const jemalloc_makes[] = {"mallocx", "malloc"};
static const char *const jemalloc_frees[] = {"sdallocx", "dallocx", "free"};

/* mimalloc's (mimalloc.h, 1.0 to 3.0). Those that begin with mi_heap_ take the heap first. */
static const struct known_function mimalloc[] = {
	{"mi_malloc", PROBE_MALLOC},
	{"mi_malloc_small", PROBE_MALLOC},
	{"mi_zalloc", PROBE_MALLOC},
	{"mi_zalloc_small", PROBE_MALLOC},
	{"mi_calloc", PROBE_CALLOC},
	{"mi_mallocn", PROBE_CALLOC},
	{"mi_realloc", PROBE_REALLOC},
	{"mi_reallocf", PROBE_REALLOC},
	{"mi_rezalloc", PROBE_REALLOC},
	{"mi_reallocn", PROBE_REALLOCARRAY},
	{"mi_recalloc", PROBE_REALLOCARRAY},
	{"mi_reallocarray", PROBE_REALLOCARRAY},
	{"mi_malloc_aligned", PROBE_MALLOC},
	{"mi_malloc_aligned_at", PROBE_MALLOC},
	{"mi_zalloc_aligned", PROBE_MALLOC},
	{"mi_zalloc_aligned_at", PROBE_MALLOC},
	{"mi_calloc_aligned", PROBE_CALLOC},
	{"mi_calloc_aligned_at", PROBE_CALLOC},
	{"mi_realloc_aligned", PROBE_REALLOC},
	{"mi_realloc_aligned_at", PROBE_REALLOC},
	{"mi_rezalloc_aligned", PROBE_REALLOC},
	{"mi_rezalloc_aligned_at", PROBE_REALLOC},
	{"mi_recalloc_aligned", PROBE_REALLOCARRAY},
	{"mi_posix_memalign", PROBE_POSIX_MEMALIGN},
	{"mi_memalign", PROBE_MEMALIGN},
	{"mi_aligned_alloc", PROBE_MEMALIGN},
	{"mi_valloc", PROBE_MALLOC},
	{"mi_pvalloc", PROBE_MALLOC},
	{"mi_new", PROBE_MALLOC},
	{"mi_new_nothrow", PROBE_MALLOC},
	{"mi_new_aligned", PROBE_MALLOC},
	{"mi_new_aligned_nothrow", PROBE_MALLOC},
	{"mi_new_n", PROBE_CALLOC},
	{"mi_new_realloc", PROBE_REALLOC},
	{"mi_new_reallocn", PROBE_REALLOCARRAY},
	{"mi_heap_malloc", PROBE_MEMALIGN},
	{"mi_heap_malloc_small", PROBE_MEMALIGN},
	{"mi_heap_zalloc", PROBE_MEMALIGN},
	{"mi_heap_malloc_aligned", PROBE_MEMALIGN},
	{"mi_heap_malloc_aligned_at", PROBE_MEMALIGN},
	{"mi_heap_zalloc_aligned", PROBE_MEMALIGN},
	{"mi_heap_zalloc_aligned_at", PROBE_MEMALIGN},
	{"mi_free", PROBE_FREE},
	{"mi_free_size", PROBE_FREE},
	{"mi_free_size_aligned", PROBE_FREE},
	{"mi_free_aligned", PROBE_FREE},
	{"mi_free_small", PROBE_FREE},
};

static const char *const mimalloc_makes[] = {"mi_malloc", "mi_malloc_aligned"};
static const char *const mimalloc_frees[] = {"mi_free"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct known_function *find(const struct known_function *known, size_t n,
					 const char *name)
{
	size_t i;

	for (i = 0; i < n && strcmp(known[i].name, name); i++)
		;
	return i < n ? &known[i] : NULL;
}

/* jemalloc's function of that name, and the length of the prefix before it. Those that were met are
 * je_, _rjem_, je_arrow_ and duckdb_je_; many other things end in _free. */
static const struct known_function *find_jemalloc(const char *name, size_t *prefix)
{
	size_t i, length = strlen(name), own;

	if (!strstr(name, "je_") && !strstr(name, "jem"))
		return NULL;
	for (i = 0; i < COUNT(jemalloc); i++) {
		own = strlen(jemalloc[i].name);
		*prefix = length > own ? length - own : 0;
		if (*prefix && name[*prefix - 1] == '_' &&
		    !strcmp(name + *prefix, jemalloc[i].name))
			return &jemalloc[i];
	}
	return NULL;
}

static bool may_be_allocator(const char *name)
{
	size_t prefix;

	return find(mimalloc, COUNT(mimalloc), name) || find_jemalloc(name, &prefix);
}

static bool is_there(const struct elf_function *functions, size_t n, const char *prefix,
		     size_t length, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strncmp(functions[i].name, prefix, length) &&
		    !strcmp(functions[i].name + length, name))
			return true;
	}
	return false;
}

static bool is_any_there(const struct elf_function *functions, size_t n, const char *prefix,
			 size_t length, const char *const *names, size_t nnames)
{
	size_t i;

	for (i = 0; i < nnames; i++) {
		if (is_there(functions, n, prefix, length, names[i]))
			return true;
	}
	return false;
}

/* The function's meaning, if it is an allocator's that can be followed. */
static const struct known_function *know(const struct elf_function *functions, size_t n,
					 const char *name)
{
	const struct known_function *known = find(mimalloc, COUNT(mimalloc), name);
	size_t prefix = 0;
	bool follows;

	if (known) {
		follows =
			is_any_there(functions, n, "", 0, mimalloc_makes, COUNT(mimalloc_makes)) &&
			is_any_there(functions, n, "", 0, mimalloc_frees, COUNT(mimalloc_frees));
		return follows ? known : NULL;
	}
	known = find_jemalloc(name, &prefix);
	follows = known &&
		  is_any_there(functions, n, name, prefix, jemalloc_makes, COUNT(jemalloc_makes)) &&
		  is_any_there(functions, n, name, prefix, jemalloc_frees, COUNT(jemalloc_frees));
	return follows ? known : NULL;
}

int private_allocator__find(struct elf_file *elf, struct private_function **result, size_t *nresult)
{
	const struct elf_function *functions;
	const struct known_function *known;
	struct private_function *found;
	size_t n, i, nfound = 0;
	int err = elf_file__functions(elf, may_be_allocator, &functions, &n);

	*result = NULL;
	*nresult = 0;
	if (err || !n)
		return err;
	found = calloc(n, sizeof(*found));
	if (!found)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		known = know(functions, n, functions[i].name);
		if (known)
			found[nfound++] = (struct private_function){
				.name = known->name,
				.kind = known->kind,
				.address = functions[i].address,
				.size = functions[i].size,
			};
	}
	if (!nfound) {
		free(found);
		return 0;
	}
	*result = found;
	*nresult = nfound;
	return 0;
}
