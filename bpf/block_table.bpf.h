/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A table of live heap blocks in an array, in place of the kernel's hash where it has
 * compare-and-exchange (5.12): the hash takes a lock, an element from the allocator of BPF and its
 * way back for each block, and is looked through twice for a free. A block is in a slot of the
 * bucket that it shares with its neighbours in memory, which are usually made, used and freed
 * together; where that is full, in one of a bucket by its own address; else in the hash.
 *
 * Programs may be preempted anywhere, and others run at once: a slot is claimed by its key. Nobody
 * looks for a block before the call that puts it here has returned, so its value may follow.
 */
#ifndef BLOCK_TABLE_BPF_H
#define BLOCK_TABLE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "pymemtop.h"

/* Resized by the loader; user space clears the slots of dead processes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct block_bucket);
} block_table SEC(".maps");

/* Neighbours are within 8 KiB: a few blocks that are too large for pymalloc. */
#define NEIGHBOUR_BITS 13

static __always_inline struct block_bucket *bucket__of(__u64 value)
{
	/* The golden ratio's bits spread the values; the upper half, scaled, is the bucket. */
	__u32 index = ((value * 0x9e3779b97f4a7c15ULL) >> 32) * config.block_buckets >> 32;

	return bpf_map_lookup_elem(&block_table, &index);
}

static __always_inline struct block_bucket *bucket__first(__u64 key)
{
	return bucket__of(key >> NEIGHBOUR_BITS);
}

static __always_inline struct block_bucket *bucket__second(__u64 key)
{
	return bucket__of(key);
}

static __always_inline __u64 bucket__take(struct block_bucket *bucket, __u64 key)
{
	__u64 block;
	int i;

	if (!bucket)
		return 0;
#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		if (bucket->slots[i].key != key)
			continue;
		block = bucket->slots[i].block;
		/* An exchange, as it orders: the slot may be claimed as soon as it is free. */
		__sync_lock_test_and_set(&bucket->slots[i].key, 0);
		return block;
	}
	return 0;
}

static __always_inline bool bucket__put(struct block_bucket *bucket, __u64 key, __u64 block)
{
	int i;

	if (!bucket)
		return false;
#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		if (bucket->slots[i].key == key) {
			bucket->slots[i].block = block;
			return true;
		}
	}
#pragma unroll
	for (i = 0; i < BUCKET_SLOTS; i++) {
		if (!bucket->slots[i].key &&
		    !__sync_val_compare_and_swap(&bucket->slots[i].key, 0, key)) {
			bucket->slots[i].block = block;
			return true;
		}
	}
	return false;
}

/* Removes the block and returns it; 0 if it is not in the table. */
static __always_inline __u64 block_table__take(__u64 key)
{
	__u64 block = bucket__take(bucket__first(key), key);

	return block ? block : bucket__take(bucket__second(key), key);
}

/* False if both buckets are full. A block of that address whose free was missed is replaced. */
static __always_inline bool block_table__put(__u64 key, __u64 block)
{
	return bucket__put(bucket__first(key), key, block) ||
	       bucket__put(bucket__second(key), key, block);
}

#endif /* BLOCK_TABLE_BPF_H */
