// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/elf_functions.h"

/* Bytes to read at a time. Longer names are no allocator's. */
#define PIECE	     (1 << 20)
#define LONGEST_NAME 64

/* A few hundred are found in a file with two allocators. */
#define MOST_FUNCTIONS 512

struct wanted_name {
	uint64_t offset; /* in the table of names */
	char name[LONGEST_NAME];
};

struct search {
	int fd;
	struct elf_symbol_table table;
	bool (*wants)(const char *name);
	struct wanted_name names[MOST_FUNCTIONS]; /* by offset, as they were found */
	size_t nnames;
	struct elf_function *functions;
	size_t n;
	char piece[PIECE];
};

/* A linker can have one name's end serve as another name: "arrow_mi_free" as "mi_free". */
static void note_name(struct search *search, const char *name, size_t length, uint64_t offset)
{
	struct wanted_name *wanted;
	size_t at;

	for (at = 0; at < length && length < LONGEST_NAME; at++) {
		if ((at && name[at - 1] != '_') || search->nnames == MOST_FUNCTIONS)
			continue;
		wanted = &search->names[search->nnames];
		memcpy(wanted->name, name + at, length - at + 1);
		wanted->offset = offset + at;
		search->nnames += search->wants(wanted->name);
	}
}

/* Finds the wanted names in a piece that lies at that offset. Returns how much of it was passed: a
 * name that goes on beyond it is left, unless it is longer than the piece. */
static size_t search_names(struct search *search, const char *piece, size_t size, uint64_t offset)
{
	const char *name = piece, *end = piece + size, *nul;

	while ((nul = memchr(name, '\0', end - name))) {
		note_name(search, name, nul - name, offset + (name - piece));
		name = nul + 1;
	}
	return name == piece ? size : (size_t)(name - piece);
}

static int find_names(struct search *search)
{
	const struct elf_symbol_table *table = &search->table;
	uint64_t at = 0;
	ssize_t got;
	size_t size;

	while (at < table->names_size) {
		size = table->names_size - at < PIECE ? table->names_size - at : PIECE;
		got = pread(search->fd, search->piece, size, table->names + at);
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		at += search_names(search, search->piece, got, at);
	}
	return 0;
}

static int compare_offsets(const void *a, const void *b)
{
	const struct wanted_name *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int note_function(struct search *search, const Elf64_Sym *symbol)
{
	const struct wanted_name key = {.offset = symbol->st_name};
	const struct wanted_name *found;
	struct elf_function *function = &search->functions[search->n];

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !symbol->st_value ||
	    symbol->st_shndx == SHN_UNDEF || search->n == MOST_FUNCTIONS)
		return 0;
	found = bsearch(&key, search->names, search->nnames, sizeof(key), compare_offsets);
	if (!found)
		return 0;
	function->name = strdup(found->name);
	if (!function->name)
		return -ENOMEM;
	function->address = symbol->st_value;
	function->size = symbol->st_size;
	search->n++;
	return 0;
}

static int find_functions(struct search *search)
{
	const struct elf_symbol_table *table = &search->table;
	uint64_t at = 0;
	Elf64_Sym symbol;
	ssize_t got, k;
	size_t size;
	int err = 0;

	while (!err && at + sizeof(symbol) <= table->size) {
		size = table->size - at < PIECE ? table->size - at : PIECE;
		got = pread(search->fd, search->piece, size - size % sizeof(symbol),
			    table->symbols + at);
		if (got < (ssize_t)sizeof(symbol))
			return got < 0 ? -errno : 0;
		got -= got % sizeof(symbol);
		for (k = 0; !err && k < got; k += sizeof(symbol)) {
			memcpy(&symbol, search->piece + k, sizeof(symbol));
			err = note_function(search, &symbol);
		}
		at += got;
	}
	return err;
}

int elf_functions__read(const struct elf_file *elf, bool (*wants)(const char *name),
			struct elf_function **functions, size_t *n)
{
	auto_free struct search *search = calloc(1, sizeof(*search));
	int err;

	*functions = NULL;
	*n = 0;
	if (!search)
		return -ENOMEM;
	search->fd = elf_file__fd(elf);
	search->wants = wants;
	if (!elf_file__symbol_table(elf, &search->table))
		return 0;
	err = find_names(search);
	if (err || !search->nnames)
		return err;
	search->functions = calloc(MOST_FUNCTIONS, sizeof(*search->functions));
	err = search->functions ? find_functions(search) : -ENOMEM;
	if (err || !search->n) {
		elf_functions__free(search->functions, search->n);
		return err;
	}
	*functions = search->functions;
	*n = search->n;
	return 0;
}

void elf_functions__free(struct elf_function *functions, size_t n)
{
	size_t i;

	for (i = 0; functions && i < n; i++)
		free(functions[i].name);
	free(functions);
}
