/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocators that a file has inside for itself, under names of their own: jemalloc with a prefix
 * (polars, Arrow), mimalloc (Arrow). Its blocks are nobody else's, so libc's functions never see
 * them.
 */
#ifndef PRIVATE_ALLOCATOR_H
#define PRIVATE_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"
#include "target/elffile.h"

struct private_function {
	const char *name; /* without prefix; a constant */
	enum probe_kind kind;
	uint64_t address; /* as linked */
	uint64_t size;
};

/* Lists the functions of all private allocators in a file whose blocks can be followed: a malloc'ed
 * array, NULL if there are none. 0 or -errno. */
int private_allocator__find(struct elf_file *elf, struct private_function **functions, size_t *n);

#endif /* PRIVATE_ALLOCATOR_H */
