/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Live heap blocks: the site and the size of each. */
#ifndef BLOCKS_BPF_H
#define BLOCKS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "block_table.bpf.h"
#include "code.bpf.h"
#include "config.bpf.h"
#include "counters.bpf.h"
#include "pymemtop.h"

/*
 * By process_key(). The value holds the site in its upper 20 bits and the size in its lower 44, so
 * that a hash element with its key takes 64 bytes, one cache line. Where there is a block_table,
 * only what that has no slot for. Resized by --max-blocks; the loader sets BPF_F_NO_PREALLOC if the
 * kernel can safely allocate elements in a uprobe.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u64);
} blocks SEC(".maps");

_Static_assert(MOST_SITES <= 1ULL << (64 - BLOCK_SIZE_BITS), "a site fits beside a size");

static __always_inline __u64 block__pack(__u32 site, __u64 size)
{
	return (__u64)site << BLOCK_SIZE_BITS | (size & ((1ULL << BLOCK_SIZE_BITS) - 1));
}

static __always_inline __u32 block__site(__u64 block)
{
	return block >> BLOCK_SIZE_BITS;
}

static __always_inline __u64 block__size(__u64 block)
{
	return block & ((1ULL << BLOCK_SIZE_BITS) - 1);
}

/* Blocks in the hash that the table had no slot for. */
__u64 spilled_blocks;

/* Removes the block and returns it; 0 if it is unknown: older than the attach, or lost. */
static __always_inline __u64 block__take(__u32 process, __u64 address)
{
	__u64 key = process_key(process, address), block = 0, *known;

	if (config.block_buckets)
		block = block_table__take(key);
	if (block || (config.block_buckets && !spilled_blocks))
		return block;
	known = bpf_map_lookup_elem(&blocks, &key);
	if (!known)
		return 0;
	block = *known;
	if (!bpf_map_delete_elem(&blocks, &key) && config.block_buckets)
		__sync_fetch_and_sub(&spilled_blocks, 1);
	return block;
}

static __always_inline bool block__put(__u32 process, __u64 address, __u64 block)
{
	__u64 key = process_key(process, address);

	if (config.block_buckets && block_table__put(key, block))
		return true;
	if (!bpf_map_update_elem(&blocks, &key, &block, BPF_ANY)) {
		if (config.block_buckets)
			__sync_fetch_and_add(&spilled_blocks, 1);
		return true;
	}
	lose(process, LOST_BLOCK);
	return false;
}

#endif /* BLOCKS_BPF_H */
