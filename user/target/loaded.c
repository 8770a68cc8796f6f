// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "target/loaded.h"
#include "target/mapped_files.h"

/* Files with allocators of their own. Nobody has met more than three in one process. */
#define MOST_PRIVATES 16

struct look {
	struct target *target;
	int added;
};

static bool is_known(const struct target *target, const struct mapped_file *file)
{
	size_t i;

	for (i = 0; i < target->nprivates; i++) {
		if (target->privates[i].file.elf == file->elf &&
		    target->privates[i].file.bias == file->bias)
			return true;
	}
	/* The interpreter's own copy of mimalloc is compiled into the functions that call it, so
	 * that its functions do not see all calls. */
	return file->elf == target->python.elf;
}

/* glibc's and musl's dynamic loaders call it when they have loaded files, for debuggers: see
 * elf/dl-debug.c, and ldso/dynlink.c. */
static void take_loader(struct target *target, const struct mapped_file *file)
{
	static const char *const names[] = {"_dl_debug_state"};
	const char *slash = strrchr(file->path, '/');
	struct elf_symbol symbol;

	if (target->loader.elf || !slash || strncmp(slash, "/ld-", 4))
		return;
	elf_file__dynamic_symbols(file->elf, names, 1, &symbol);
	if (symbol.function)
		target->loader = (struct target_file){elf_file__ref(file->elf), file->bias};
}

static int look_at_file(void *context, const struct mapped_file *file)
{
	struct look *look = context;
	struct target *target = look->target;
	struct target_private *more;
	struct private_function *functions;
	size_t n;
	int err;

	take_loader(target, file);
	if (is_known(target, file) || target->nprivates == MOST_PRIVATES)
		return 0;
	err = private_allocator__find(file->elf, &functions, &n);
	/* A file whose table cannot be read has no allocator that we know. */
	if (err || !n)
		return err == -ENOMEM ? err : 0;
	more = reallocarray(target->privates, target->nprivates + 1, sizeof(*more));
	if (!more) {
		free(functions);
		return -ENOMEM;
	}
	target->privates = more;
	more[target->nprivates++] = (struct target_private){
		.file = {elf_file__ref(file->elf), file->bias},
		.functions = functions,
		.n = n,
	};
	log_detail("process %d: %zu functions of an allocator inside a file", target->pid, n);
	look->added++;
	return 0;
}

int loaded__look(struct target *target, pid_t pid, struct images *images)
{
	struct look look = {.target = target};
	int err = mapped_files__visit(address_space__of_process(pid), images, look_at_file, &look);

	return err == -ENOENT || err == -ESRCH ? 0 : err ? err : look.added;
}
