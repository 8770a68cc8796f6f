/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pages of a process are resident, as the kernel says in /proc/PID/pagemap; or which pages a
 * core file has. */
#ifndef PAGEMAP_H
#define PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

#include "pymemtop.h"
#include "target/address_space.h"

#define REGION_WORDS (REGION_PAGES / 64)

/* One region of 2 MiB. Pages of files and hugetlbfs, and the zero page, are no process's own: they
 * are in no set, but for those of shared mappings. */
struct residency {
	uint64_t index;			 /* address >> REGION_SHIFT */
	uint64_t resident[REGION_WORDS]; /* one bit per page */
	uint64_t away[REGION_WORDS];	 /* swapped out */
	uint64_t shared[REGION_WORDS];	 /* resident, of a shared mapping; only if asked for */
	bool huge;			 /* resident as one huge page */
};

struct pagemap;

enum pagemap_options {
	/* Lets the kernel find the pages itself if it can (PAGEMAP_SCAN, Linux 6.7); otherwise they
	 * are read one by one. */
	PAGEMAP_MAY_SCAN = 1 << 0,
	/* Also finds pages of shared mappings, and of files in memory. Of a process only. */
	PAGEMAP_SHARED = 1 << 1,
};

/* Returns 0 and the pagemap, or -errno if it cannot be read. */
int pagemap__new(struct address_space space, unsigned int options, struct pagemap **pagemap);
void pagemap__free(struct pagemap *pagemap);

/* Takes the mappings as they are now; call it before each pass. Returns 0 or -errno. */
int pagemap__refresh(struct pagemap *pagemap);

/* Reads one region. Returns 0 or -errno. */
int pagemap__region(struct pagemap *pagemap, uint64_t index, struct residency *residency);

/* Reads the first region with pages, from that index on. Returns 1, 0 if there is none, or
 * -errno. */
int pagemap__next(struct pagemap *pagemap, uint64_t index, struct residency *residency);

/* Finds the bounds of the mapping around an address, among those that can have such pages. Returns
 * 0, -ENOENT if it is in none, or -errno. */
int pagemap__mapping(struct pagemap *pagemap, uint64_t address, uint64_t *start, uint64_t *end);

#endif /* PAGEMAP_H */
