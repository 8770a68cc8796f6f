// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "modes/page_difference.h"

bool pages__have(const uint64_t *pages, size_t page)
{
	return pages[page / 64] >> (page % 64) & 1;
}

void pages__add(uint64_t *pages, size_t page)
{
	pages[page / 64] |= 1ULL << (page % 64);
}

bool pages__are_any(const uint64_t *pages)
{
	size_t i;

	for (i = 0; i < REGION_WORDS; i++) {
		if (pages[i])
			return true;
	}
	return false;
}

uint64_t pages__count(const uint64_t *pages)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < REGION_WORDS; i++)
		n += __builtin_popcountll(pages[i]);
	return n;
}

enum where { NOWHERE, OWN, AWAY, SHARED };

static enum where where_is(const struct residency *residency, size_t page)
{
	return pages__have(residency->resident, page) ? OWN
	       : pages__have(residency->shared, page) ? SHARED
	       : pages__have(residency->away, page)   ? AWAY
						      : NOWHERE;
}

/* Returns the set of differences that a page belongs in, or NULL if it does not differ. */
static uint64_t *difference_of(struct page_difference *d, uint32_t owner, enum where where)
{
	switch (where) {
	case OWN:
		return !owner ? d->unseen : owner & PAGE_FLAGS ? d->own : NULL;
	case SHARED:
		return !owner ? d->unseen_shared : owner & PAGE_SHARED ? NULL : d->shared;
	case AWAY:
		return !owner ? d->unseen_away : owner & PAGE_AWAY ? NULL : d->away;
	default:
		return owner ? d->gone : NULL;
	}
}

void page_difference__find(const struct page_region *region, const struct residency *residency,
			   struct page_difference *d)
{
	bool owned = false;
	uint32_t owner;
	uint64_t *set;
	size_t page;

	memset(d, 0, sizeof(*d));
	for (page = 0; page < REGION_PAGES; page++) {
		owner = region ? region->owner[page] : 0;
		owned |= owner;
		set = difference_of(d, owner, where_is(residency, page));
		if (set)
			pages__add(set, page);
	}
	/* An empty region is to be removed. */
	d->any = pages__are_any(d->gone) || pages__are_any(d->away) || pages__are_any(d->own) ||
		 pages__are_any(d->shared) || (region && !owned);
}
