/* SPDX-License-Identifier: BSD-2-Clause */
/* Which anonymous pages of a process are resident: /proc/PID/pagemap, the kernel's own word. */
#ifndef PAGEMAP_H
#define PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

#include "pymemtop.h"

#define REGION_WORDS (REGION_PAGES / 64)

/* One region of 2 MiB. Pages of files, of shared memory, of hugetlbfs, and the zero page
 * are no process's own, and are in neither set. */
struct residency {
	uint64_t index;			 /* address >> REGION_SHIFT */
	uint64_t resident[REGION_WORDS]; /* a bit a page */
	uint64_t away[REGION_WORDS];	 /* swapped out */
	bool huge;			 /* resident as one huge page */
};

struct pagemap;

/* may_scan lets the kernel find the pages itself where it can (PAGEMAP_SCAN, Linux 6.7);
 * else they are read one by one. 0 and the pagemap, or -errno where it cannot be read. */
int pagemap__new(pid_t pid, bool may_scan, struct pagemap **pagemap);
void pagemap__free(struct pagemap *pagemap);

/* Takes the mappings as they are now; to be called before each pass. 0 or -errno. */
int pagemap__refresh(struct pagemap *pagemap);

/* One region. 0 or -errno. */
int pagemap__region(struct pagemap *pagemap, uint64_t index, struct residency *residency);

/* The first region from that index on with pages in it. 1, or 0 if there is none, or
 * -errno. */
int pagemap__next(struct pagemap *pagemap, uint64_t index, struct residency *residency);

/* Where the mapping begins and ends that the address is in: of those that can have pages of
 * their own. 0, or -ENOENT where it is in none, or -errno. */
int pagemap__mapping(struct pagemap *pagemap, uint64_t address, uint64_t *start, uint64_t *end);

#endif /* PAGEMAP_H */
