/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Resident pages: who touched each first. 4 bytes a page, in one element per 2 MiB region. A page
 * keeps its owner until it is gone, even if it faults again, to be swapped in or copied after a
 * fork.
 */
#ifndef PAGES_BPF_H
#define PAGES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "counters.bpf.h"
#include "elements.bpf.h"
#include "pymemtop.h"
#include "regions.bpf.h"
#include "thread.bpf.h"

/* By region_key(). Resized to --max-regions. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct page_region);
} page_regions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct page_region);
} page_blank SEC(".maps");

static __always_inline struct page_region *page_region__make(__u64 key)
{
	return element__make(&page_regions, &key, &page_blank);
}

static __always_inline bool page__counts(__u32 owner)
{
	return owner && !(owner & (PAGE_AWAY | PAGE_READ));
}

/* n pages of a site's in shared mappings. */
static __always_inline void site__share(__u32 site, __u64 n)
{
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);

	if (!count)
		return;
	__sync_fetch_and_add(&count->mapped_bytes, n << PAGE_SHIFT);
	__sync_fetch_and_add(&count->mapped_count, n);
}

static __always_inline void site__unshare(__u32 site, __u64 n)
{
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);

	if (!count)
		return;
	__sync_fetch_and_add(&count->unmapped_bytes, n << PAGE_SHIFT);
	__sync_fetch_and_add(&count->unmapped_count, n);
}

/* Pages from before have become resident or, with a negative size, are no longer. */
static __always_inline void pages__count_before(__u32 process, __u32 owner, __u64 size)
{
	struct process_counters *counters = bpf_map_lookup_elem(&process_counters, &process);

	if (counters)
		__sync_fetch_and_add(owner & PAGE_SHARED ? &counters->shared_before_bytes
							 : &counters->before_bytes,
				     size);
}

/* n pages have become resident for their owner. Global, like the next one, so that the verifier
 * follows it once. */
__noinline int pages__come(__u32 process, __u32 owner, __u32 n)
{
	__u32 site = owner & ~PAGE_FLAGS;

	if (!page__counts(owner))
		return 0;
	if (site == PAGE_BEFORE) {
		pages__count_before(process, owner, (__u64)n << PAGE_SHIFT);
		return 0;
	}
	n *= config.sample;
	if (owner & PAGE_SHARED)
		site__share(site, n);
	else
		site__allocate(process, site, (__u64)n << PAGE_SHIFT, n);
	return 0;
}

/* n pages of the owner are no longer resident. */
__noinline int pages__go(__u32 process, __u32 owner, __u32 n)
{
	__u32 site = owner & ~PAGE_FLAGS;

	if (!page__counts(owner))
		return 0;
	if (site == PAGE_BEFORE) {
		pages__count_before(process, owner, -((__u64)n << PAGE_SHIFT));
		return 0;
	}
	n *= config.sample;
	if (owner & PAGE_SHARED)
		site__unshare(site, n);
	else
		site__free(process, site, (__u64)n << PAGE_SHIFT, n);
	return 0;
}

/*
 * Gives the run of pages from first on that have the same owner to a site, unless they are
 * another's; site 0 removes their owner. Returns how many it passed, at least 1. A global function,
 * so that the verifier does not know that number in the loop over such runs: before 6.2 it would
 * follow every possible one.
 */
__noinline int page_region__give_run(__u64 key, __u32 bounds, __u32 site)
{
	__u32 first = bounds >> 16, last = bounds & 0xffff, process = key >> REGION_KEY_SHIFT;
	struct page_region *region = bpf_map_lookup_elem(&page_regions, &key);
	__u32 owner, to, i;

	if (!region)
		return REGION_PAGES;
	owner = region->owner[first & (REGION_PAGES - 1)];
	to = site && owner ? owner : site;
	for (i = 0; i < REGION_PAGES && first + i < last; i++) {
		__u32 *page = &region->owner[(first + i) & (REGION_PAGES - 1)];

		if (*page != owner)
			break;
		*page = to;
	}
	if (to != owner) {
		pages__go(process, owner, i);
		pages__come(process, to, i);
	}
	return i ? i : 1;
}

/* The same for all pages within packed bounds. Deletes a region when all of it is cleared at
 * once. */
__noinline int page_region__give(__u64 key, __u32 bounds, __u32 site)
{
	__u32 first = bounds >> 16, last = bounds & 0xffff, i;
	struct page_region *region = bpf_map_lookup_elem(&page_regions, &key);
	bool all = last - first == REGION_PAGES;

	if (!region && site) {
		region = page_region__make(key);
		if (!region)
			lose(key >> REGION_KEY_SHIFT, LOST_PAGE);
	}
	if (!region)
		return 0;
	for (i = 0; i < REGION_PAGES && first < last; i++)
		first += page_region__give_run(key, first << 16 | last, site);
	__sync_fetch_and_add(&region->faults, 1);
	if (all && !site)
		bpf_map_delete_elem(&page_regions, &key);
	return 0;
}

__noinline int page_span__give(__u64 start, __u64 end, __u32 process, __u32 site)
{
	__u64 index = start >> REGION_SHIFT;
	int i;

	for (i = 0; i < SPAN_REGIONS && index << REGION_SHIFT < end; i++, index++)
		page_region__give(region_key(process, index), region_bounds(index, start, end),
				  site);
	return 0;
}

/* The same for [start, end). Pages beyond 64 GiB are left to be reconciled. */
__noinline int pages__give(__u64 start, __u64 end, __u32 process, __u32 site)
{
	int i;

	for (i = 0; i < MAX_SPANS + 1 && start < end; i++) {
		page_span__give(start, span_end(start, end), process, site);
		start = span_end(start, end);
	}
	return 0;
}

/* The pages in [start, end) have no owner any more. */
static __always_inline void pages__clear(__u64 start, __u64 end, __u32 process)
{
	pages__give(start, end, process, 0);
}

/* Moves n pages of one region to another. The first pages of both are packed: from << 16 | to. */
__noinline int page_region__move(__u64 from_key, __u64 to_key, __u32 firsts, __u32 n)
{
	__u32 from_first = firsts >> 16, to_first = firsts & 0xffff, process, i;
	struct page_region *from = bpf_map_lookup_elem(&page_regions, &from_key), *to;

	if (!from)
		return 0;
	process = to_key >> REGION_KEY_SHIFT;
	to = page_region__make(to_key);
	if (!to) {
		lose(process, LOST_PAGE);
		return page_region__give(from_key, from_first << 16 | (from_first + n), 0);
	}
	for (i = 0; i < REGION_PAGES && i < n; i++) {
		__u32 *page = &from->owner[(from_first + i) & (REGION_PAGES - 1)];
		__u32 *new = &to->owner[(to_first + i) & (REGION_PAGES - 1)];

		/* MREMAP_FIXED: what was there is gone. */
		pages__go(process, *new, 1);
		*new = *page;
		*page = 0;
	}
	__sync_fetch_and_add(&from->faults, 1);
	__sync_fetch_and_add(&to->faults, 1);
	return 0;
}

#define MOVE_STEPS 256
#define MOVE_TURNS 256 /* up to 65,536 parts of regions, of 1 MiB on average */

/* Moves pages up to the end of a region on either side. */
static __always_inline void page_move__step(__u32 process, struct page_move *move)
{
	__u64 left = (move->end - move->from) >> PAGE_SHIFT;
	__u32 from = move->from >> PAGE_SHIFT & (REGION_PAGES - 1);
	__u32 to = move->to >> PAGE_SHIFT & (REGION_PAGES - 1);
	__u32 n = REGION_PAGES - (from > to ? from : to);

	if (n > left)
		n = left;
	page_region__move(region_key(process, move->from >> REGION_SHIFT),
			  region_key(process, move->to >> REGION_SHIFT), from << 16 | to, n);
	move->from += (__u64)n << PAGE_SHIFT;
	move->to += (__u64)n << PAGE_SHIFT;
}

__noinline int page_move__go_on(void)
{
	struct thread *t = thread__find();
	int i;

	if (!t)
		return 0;
	for (i = 0; i < MOVE_STEPS && t->move.from < t->move.end; i++)
		page_move__step(t->process.id, &t->move);
	return t->move.from < t->move.end;
}

/* The thread's pages in [from, end) are now at the address to: moves their owners along. */
static __always_inline void pages__move(struct thread *t, __u64 from, __u64 end, __u64 to)
{
	int i;

	t->move.from = from;
	t->move.end = end;
	t->move.to = to;
	for (i = 0; i < MOVE_TURNS; i++) {
		if (!page_move__go_on())
			return;
	}
	lose(t->process.id, LOST_PAGE);
}

#endif /* PAGES_BPF_H */
