/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Direct mappings, page by page, as a munmap() may cover part of one or of several. Like page
 * tables with two levels: a 2 MiB region either has one owner (16 bytes, whatever it maps), or an
 * owner for each of its pages.
 */
#ifndef MAPPINGS_BPF_H
#define MAPPINGS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "counters.bpf.h"
#include "elements.bpf.h"
#include "numbers.bpf.h"
#include "pymemtop.h"
#include "regions.bpf.h"

#define MAX_MAPPINGS (1 << 18)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u32);
	__type(value, struct mapping);
} mappings SEC(".maps");

/* By region_key(): the number of the mapping that owns the whole region. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__type(key, __u64);
	__type(value, __u32);
} whole_regions SEC(".maps");

struct region {
	__u32 owner[REGION_PAGES];
};

/* By region_key(): the mapping of each page, for regions without a single owner. Room for 64 GiB of
 * the targets' memory. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 15);
	__type(key, __u64);
	__type(value, struct region);
} mapped_regions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct region);
} region_blank SEC(".maps");

__u32 next_mapping = 1;

/* Subtracts bytes from a mapping, and deletes the mapping when none are left. Global, like the
 * functions below, so that the verifier does not follow it at each turn of its callers' loops. */
__noinline int mapping__shrink(__u32 number, __u64 bytes)
{
	struct mapping *mapping = bpf_map_lookup_elem(&mappings, &number);
	struct site_counters *count;
	__u32 site, process;

	if (!mapping)
		return 0;
	site = mapping->site;
	count = bpf_map_lookup_elem(&site_counters, &site);
	if (!count)
		return 0;
	process = mapping->process;
	if (config.peak)
		peak__note(process, site);
	__sync_fetch_and_add(&count->unmapped_bytes, bytes);
	__sync_fetch_and_add(&mapping->bytes, -bytes);
	if (!mapping->bytes && !bpf_map_delete_elem(&mappings, &number))
		__sync_fetch_and_add(&count->unmapped_count, 1);
	if (config.peak)
		peak__change(process, -bytes);
	return 0;
}

/*
 * Gives pages [first, last) of a region to a mapping. The bounds are packed: first << 16 | last.
 * Returns 0, or -1 if there is no room.
 */
__noinline int region__set(__u64 key, __u32 bounds, __u32 number)
{
	__u32 first = bounds >> 16, last = bounds & 0xffff, i;
	struct region *region;

	if (last - first == REGION_PAGES)
		return bpf_map_update_elem(&whole_regions, &key, &number, BPF_ANY) ? -1 : 0;
	region = element__make(&mapped_regions, &key, &region_blank);
	if (!region)
		return -1;
	for (i = 0; i < REGION_PAGES && first + i < last; i++)
		region->owner[(first + i) & (REGION_PAGES - 1)] = number;
	return 0;
}

/* Takes the run of pages that starts at first and has one owner from that mapping; if only is not
 * 0, just from that one. Returns how many pages it passed, at least 1. */
__noinline int region__clear_run(__u64 key, __u32 bounds, __u32 only)
{
	__u32 first = bounds >> 16, last = bounds & 0xffff, owner, i;
	struct region *region = bpf_map_lookup_elem(&mapped_regions, &key);

	if (!region)
		return REGION_PAGES;
	owner = region->owner[first & (REGION_PAGES - 1)];
	if (!owner || (only && owner != only))
		return 1;
	for (i = 0; i < REGION_PAGES && first + i < last; i++) {
		if (region->owner[(first + i) & (REGION_PAGES - 1)] != owner)
			break;
		region->owner[(first + i) & (REGION_PAGES - 1)] = 0;
	}
	mapping__shrink(owner, (__u64)i << PAGE_SHIFT);
	return i ? i : 1;
}

/* Takes pages [first, last) of a region from the mapping only, or from any if that is 0. Returns 0,
 * or -1 if there is no room. */
__noinline int region__clear(__u64 key, __u32 bounds, __u32 only)
{
	__u32 first = bounds >> 16, last = bounds & 0xffff, owner, i;
	__u32 *whole = bpf_map_lookup_elem(&whole_regions, &key);
	bool all = last - first == REGION_PAGES;

	if (whole) {
		owner = *whole;
		if (only && owner != only)
			return 0;
		if (!all && (region__set(key, first, owner) ||
			     region__set(key, last << 16 | REGION_PAGES, owner)))
			return -1;
		bpf_map_delete_elem(&whole_regions, &key);
		mapping__shrink(owner, (__u64)(last - first) << PAGE_SHIFT);
		return 0;
	}
	for (i = 0; i < REGION_PAGES && first < last; i++)
		first += region__clear_run(key, first << 16 | last, only);
	if (all)
		bpf_map_delete_elem(&mapped_regions, &key);
	return 0;
}

/* The mapping that owns the page; 0 if none is known. */
static __always_inline __u32 mapping__at(__u32 process, __u64 address)
{
	__u64 key = region_key(process, address >> REGION_SHIFT);
	__u32 *whole = bpf_map_lookup_elem(&whole_regions, &key);
	struct region *region;

	if (whole)
		return *whole;
	region = bpf_map_lookup_elem(&mapped_regions, &key);
	return region ? region->owner[address >> PAGE_SHIFT & (REGION_PAGES - 1)] : 0;
}

__noinline int span__clear(__u64 start, __u64 end, __u32 process, __u32 only)
{
	__u64 index = start >> REGION_SHIFT;
	int i;

	for (i = 0; i < SPAN_REGIONS && index << REGION_SHIFT < end; i++, index++) {
		if (region__clear(region_key(process, index), region_bounds(index, start, end),
				  only))
			return -1;
	}
	return 0;
}

__noinline int span__set(__u64 start, __u64 end, __u32 process, __u32 number)
{
	__u64 index = start >> REGION_SHIFT;
	int i;

	for (i = 0; i < SPAN_REGIONS && index << REGION_SHIFT < end; i++, index++) {
		if (region__set(region_key(process, index), region_bounds(index, start, end),
				number))
			return -1;
	}
	return 0;
}

/* Removes [start, end) from the counts; see region__clear() for only. */
__noinline int mappings__clear(__u64 start, __u64 end, __u32 process, __u32 only)
{
	int i;

	for (i = 0; i < MAX_SPANS + 1; i++) {
		if (start >= end)
			return 0;
		if (span__clear(start, span_end(start, end), process, only))
			break;
		start = span_end(start, end);
	}
	lose(process, LOST_MAPPING);
	return -1;
}

/* Counts [start, end) as one mapping of the site. What was there is gone: the kernel has just
 * handed out these pages. */
__noinline int mappings__add(__u64 start, __u64 end, __u32 process, __u32 site)
{
	struct mapping mapping = {.bytes = end - start, .site = site, .process = process};
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);
	__u64 from = start;
	__u32 number;
	int i;

	if (mappings__clear(start, end, process, 0))
		return -1;
	number = claim_number(&mappings, &mapping, &next_mapping, ~0U);
	if (!count || !number) {
		lose(process, LOST_MAPPING);
		return -1;
	}
	if (config.peak)
		peak__note(process, site);
	__sync_fetch_and_add(&count->mapped_bytes, end - start);
	__sync_fetch_and_add(&count->mapped_count, 1);
	if (config.peak)
		peak__change(process, end - start);
	for (i = 0; i < MAX_SPANS + 1; i++) {
		if (from >= end)
			return 0;
		if (span__set(from, span_end(from, end), process, number))
			break;
		from = span_end(from, end);
	}
	lose(process, LOST_MAPPING);
	/* No room for all of it: undo the counting. */
	mappings__clear(start, from, process, number);
	mapping__shrink(number, end - from);
	return -1;
}

#endif /* MAPPINGS_BPF_H */
