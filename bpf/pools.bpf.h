/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Small objects: the site that last took each slot of pymalloc's pools. The slot's address is the
 * index: 4 bytes for each 16 bytes of a pool, in one element per page. Whether a slot is still
 * taken is in the pool itself, which user space reads (user/inspect/pools.c).
 */
#ifndef POOLS_BPF_H
#define POOLS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "code.bpf.h"
#include "config.bpf.h"
#include "counters.bpf.h"
#include "elements.bpf.h"
#include "pymemtop.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

/* By process and page number. Resized to --max-pools. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct pool_page);
} pool_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_page);
} pool_page_blank SEC(".maps");

/* By process.image. Resized to the targets at the start and some more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_table);
} pool_tables SEC(".maps");

/* What a site has taken from pools so far. Resized to --max-sites. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_counters);
} pool_counters SEC(".maps");

/* The slot being taken from a pool; 0 if the header makes no sense, because the register holds
 * something else. */
static __always_inline __u64 pool__slot(const struct pool_header *pool, __u64 address, bool first)
{
	__u64 slot = first ? address + sizeof(*pool) : pool->freeblock;

	if (address & (PAGE_SIZE - 1) || address >= 1ULL << 52 || slot & 15 ||
	    slot - address < sizeof(*pool) || slot - address >= MAX_POOL_SIZE)
		return 0;
	return slot;
}

static __always_inline void pool__count(__u32 site, __u32 size)
{
	struct pool_counters *counters = bpf_map_lookup_elem(&pool_counters, &site);

	if (!counters)
		return;
	__sync_fetch_and_add(&counters->bytes, size);
	__sync_fetch_and_add(&counters->count, 1);
}

static __noinline void pool__take(struct thread *t, __u64 slot, __u32 size)
{
	__u64 key = (__u64)t->process.id << REGION_KEY_SHIFT | slot >> PAGE_SHIFT;
	struct pool_page *page = element__make(&pool_pages, &key, &pool_page_blank);
	__u32 site;

	if (!page) {
		lose(t->process.id, LOST_POOL);
		return;
	}
	t->holds_gil = true;
	site = site__current(t);
	t->holds_gil = false;
	page->site[slot >> 4 & (POOL_PAGE_SLOTS - 1)] = site;
	if (site)
		pool__count(site, size);
}

/* PyTypeObject's tp_flags, and Py_TPFLAGS_HAVE_GC (Include/cpython/object.h, Include/object.h; the
 * same since 3.8): objects with that flag have a head of two words. */
#define TYPE_FLAGS   168
#define TYPE_HAS_GC  (1 << 14)
#define GC_HEAD_SIZE 16

/* The start of the slot of an object taken from a free list; 0 if it is no such object. */
static __always_inline __u64 object__slot(__u64 object, __u32 step)
{
	struct {
		__u64 references, type;
	} head;
	__u64 flags;

	if (!object || object & 15 || !read_user(&head, sizeof(head), object))
		return 0;
	if (step == PYMALLOC_REUSES_FLOAT)
		return object;
	if ((step == PYMALLOC_REUSES && head.references) ||
	    !read_user(&flags, sizeof(flags), head.type + TYPE_FLAGS))
		return 0;
	return flags & TYPE_HAS_GC ? object - GC_HEAD_SIZE : object;
}

/* An object is taken from a free list: its slot now belongs to the current site. */
static __always_inline void pool__reuse(struct pt_regs *ctx, struct thread *t,
					const struct pool_table *table, __u32 place)
{
	__u64 slot, offset, address;
	struct pool_header pool;
	__u32 size;

	slot = object__slot(register_word(ctx, POOL_WORD(place)), POOL_STEP(place));
	if (slot >> PROCESS_KEY_SHIFT)
		return;
	address = slot & ~(table->pool_size - 1);
	if (!slot || !read_user(&pool, sizeof(pool), address) || pool.size_class >= POOL_CLASSES)
		return;
	size = (pool.size_class + 1) * SMALLEST_SLOT;
	offset = slot - address - sizeof(pool);
	/* Objects larger than 512 bytes are not in a pool. */
	if (pool.maxnextoffset != table->pool_size - size || offset >= pool.nextoffset ||
	    (__u32)offset % size)
		return;
	pool__take(t, slot, size);
}

/* A slot is taken from a pool. */
static __always_inline void pool__hand_out(struct pt_regs *ctx, struct thread *t, __u32 place)
{
	__u32 step = POOL_STEP(place), class;
	struct pool_header pool;
	__u64 address, slot;
	bool first;

	/* No pool has a free slot: one will be opened. */
	if (step == PYMALLOC_TAKES && IS_EQUAL(ctx))
		return;
	address = register_word(ctx, POOL_WORD(place));
	if (!read_user(&pool, sizeof(pool), address)) {
		lose(t->process.id, LOST_FRAME);
		return;
	}
	first = step == PYMALLOC_OPENS_NEW || (step == PYMALLOC_OPENS && !IS_EQUAL(ctx));
	class = first ? (__u32)register_word(ctx, SIZE_WORD(place)) : pool.size_class;
	slot = pool__slot(&pool, address, first);
	if (slot && class < POOL_CLASSES)
		pool__take(t, slot, (class + 1) * SMALLEST_SLOT);
}

/* Runs at the places that user/probes/pymalloc.h describes. */
static __always_inline void pool__enter(struct pt_regs *ctx, struct thread *t)
{
	const struct pool_table *table = bpf_map_lookup_elem(&pool_tables, &t->process.image);
	__u32 place;

	if (!table)
		return;
	place = table->place[POOL_SLOT(PT_REGS_IP(ctx), table->multiplier) & (POOL_SLOTS - 1)];
	if (!(place & POOL_TAKEN))
		return;
	if (POOL_STEP(place) < PYMALLOC_REUSES)
		pool__hand_out(ctx, t, place);
	else
		pool__reuse(ctx, t, table, place);
}

#endif /* POOLS_BPF_H */
