/* SPDX-License-Identifier: BSD-2-Clause */
/* How the record of a region's pages differs from what the kernel says is resident. */
#ifndef PAGE_DIFFERENCE_H
#define PAGE_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/pagemap.h"
#include "pymemtop.h"

/* One bit per page. */
struct page_difference {
	uint64_t gone[REGION_WORDS];   /* on record only */
	uint64_t away[REGION_WORDS];   /* swapped out since */
	uint64_t own[REGION_WORDS];    /* the process's own by now: back, or written to */
	uint64_t shared[REGION_WORDS]; /* of a shared mapping, and not on record as that */
	uint64_t unseen[REGION_WORDS]; /* the process's own, and not on record; likewise: */
	uint64_t unseen_away[REGION_WORDS];
	uint64_t unseen_shared[REGION_WORDS];
	bool any; /* the record must be corrected */
};

/* region is NULL if none is on record. */
void page_difference__find(const struct page_region *region, const struct residency *residency,
			   struct page_difference *difference);

/* Sets of a region's pages. */
bool pages__have(const uint64_t *pages, size_t page);
void pages__add(uint64_t *pages, size_t page);
bool pages__are_any(const uint64_t *pages);
uint64_t pages__count(const uint64_t *pages);

#endif /* PAGE_DIFFERENCE_H */
