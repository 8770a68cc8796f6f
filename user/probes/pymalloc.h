/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pymalloc hands out a block. Its fast path is inlined by link-time optimisation, as in
 * Debian's builds, so that there are some 200 copies and no symbol; but every copy has the shape
 * that pymalloc_alloc() in Objects/obmalloc.c has (3.8 to 3.15). There is a branch, which every
 * kernel emulates, where a register holds the pool; only where a pool is opened for the first time
 * there may be none, and the kernel single-steps, once a pool.
 */
#ifndef PYMALLOC_H
#define PYMALLOC_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "probes/decode.h"
#include "probes/placement.h"
#include "pymemtop.h"

struct pymalloc_site {
	uint64_t address; /* as linked */
	enum pymalloc_step step;
	/* Words of struct pt_regs: the registers that hold the pool, and, where one is opened, the
	 * size class that it gets. */
	uint8_t pool, size;
};

/*
 * Finds all sites in a file's code, by address. 0, the sites, which the caller frees, and their
 * number; or -ENOMEM.
 */
int pymalloc__find_sites(const struct architecture *architecture, const struct code_bytes *text,
			 struct pymalloc_site **sites, size_t *n);

#endif /* PYMALLOC_H */
