/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A target's memory in regions of 2 MiB: their keys and bounds. */
#ifndef REGIONS_BPF_H
#define REGIONS_BPF_H

#include "vmlinux.h"
#include "pymemtop.h"

#define PAGE_SIZE (1ULL << PAGE_SHIFT)

/* The verifier follows each turn of a loop, and at most 8,192 branches, so a global function
 * handles the regions of a span of 256 MiB. The largest range handled has 256 spans: 64 GiB. */
#define SPAN_SHIFT   28
#define SPAN_REGIONS (1 << (SPAN_SHIFT - REGION_SHIFT))
#define MAX_SPANS    256

static __always_inline __u64 page_up(__u64 size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Whether the kernel would accept the range as pages of a process, at an address below 2^52, for
 * which REGION_KEY_SHIFT leaves room. A target can ask for anything. */
static __always_inline bool is_range(__u64 address, __u64 length)
{
	return length && !(address & (PAGE_SIZE - 1)) && address < 1ULL << 52 &&
	       length <= (1ULL << 52) - address;
}

static __always_inline __u64 region_key(__u32 process, __u64 index)
{
	return (__u64)process << REGION_KEY_SHIFT | index;
}

/* The bounds of [start, end) in the region with that index, packed: first << 16 | last. */
static __always_inline __u32 region_bounds(__u64 index, __u64 start, __u64 end)
{
	__u64 base = index << REGION_SHIFT;
	__u32 first = start > base ? (start - base) >> PAGE_SHIFT : 0;
	__u32 last =
		end < base + (1ULL << REGION_SHIFT) ? (end - base) >> PAGE_SHIFT : REGION_PAGES;

	return first << 16 | last;
}

/* The end of the span that start is in, or end if that comes first. */
static __always_inline __u64 span_end(__u64 start, __u64 end)
{
	__u64 next = ((start >> SPAN_SHIFT) + 1) << SPAN_SHIFT;

	return next < end ? next : end;
}

#endif /* REGIONS_BPF_H */
