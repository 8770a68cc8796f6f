/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pymalloc hands out a block. Link-time optimisation, as in Debian's builds, inlines its fast
 * path, so that there are some 200 copies and no symbol; but every copy has the shape of
 * pymalloc_alloc() in Objects/obmalloc.c (3.8 to 3.15). At a branch, which every kernel emulates, a
 * register holds the pool. Only where a pool is first opened there may be no branch, and the kernel
 * single-steps, once per pool.
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
	/* Words of struct pt_regs: the registers that hold the pool and, if one is opened, the size
	 * class that it gets. */
	uint8_t pool, size;
};

/*
 * Finds all sites in a file's code, sorted by address. 0, the sites, which the caller frees, and
 * their number; or -ENOMEM.
 */
int pymalloc__find_sites(const struct architecture *architecture, const struct code_bytes *text,
			 struct pymalloc_site **sites, size_t *n);

#endif /* PYMALLOC_H */
