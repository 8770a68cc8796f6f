// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/kernel.h"
#include "collect/counters.h"
#include "heap.skel.h"
#include "modes/arenas.h"
#include "modes/heap.h"
#include "modes/mode.h"

/* The table has slots for three blocks in four: the hash is for the fourth, and for some more, as
 * buckets fill unevenly. */
static unsigned int hashed_blocks(unsigned int most)
{
	return most / 4 + most / 16 + 64;
}

/* Blocks of a window: they are gone through twice while the target waits for it. */
#define WINDOW_BLOCKS (1 << 16)

/* Kernels that must preallocate elements get fewer: 45 MiB for all hashes instead of 150. */
static unsigned int default_blocks(bool allocates, bool pauses)
{
	return pauses ? WINDOW_BLOCKS : allocates ? 1000000 : 1 << 18;
}

int heap__size_maps(const struct bpf_object *object, struct config *config,
		    const struct collector_options *options)
{
	bool allocates = feature__has(FEATURE_HASH_ALLOCATION);
	bool table = feature__has(FEATURE_COMPARE_AND_EXCHANGE);
	unsigned int most = options->max_blocks ? options->max_blocks
						: default_blocks(allocates, options->pauses);
	unsigned int buckets = table ? (most / 4 * 3 + BUCKET_SLOTS - 1) / BUCKET_SLOTS : 0;
	const struct {
		const char *map;
		unsigned int entries;
	} sizes[] = {
		{"blocks", table ? hashed_blocks(most) : most},
		{"block_table", buckets},
		{"mappings", allocates ? 0 : 1 << 14},
		{"whole_regions", allocates ? 0 : 1 << 14},
		{"mapped_regions", allocates ? 0 : 1 << 11},
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].entries)
			err = bpf_map__set_max_entries(bpf_object__find_map_by_name(object,
										    sizes[i].map),
						       sizes[i].entries);
	}
	config->block_buckets = buckets;
	return err;
}

struct heap {
	struct heap_bpf *bpf;
	struct arenas *arenas;
};

static int heap_load(struct collector *collector)
{
	struct heap *heap = collector->own = calloc(1, sizeof(*heap));
	struct heap_bpf *bpf = heap ? heap_bpf__open() : NULL;
	int err;

	if (!bpf)
		return -errno;
	heap->bpf = bpf;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = heap__size_maps(bpf->obj, &bpf->rodata->config, &collector->options);
	if (!err)
		err = heap_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void heap_unload(struct collector *collector)
{
	struct heap *heap = collector->own;

	if (!heap)
		return;
	arenas__free(heap->arenas);
	heap_bpf__destroy(heap->bpf);
	free(heap);
}

static int heap_attach(struct collector *collector)
{
	struct heap *heap = collector->own;

	heap->arenas = arenas__new(collector, ARENAS_IN_MAPPINGS);
	return heap->arenas ? 0 : -ENOMEM;
}

static void heap_meet(struct collector *collector, __u32 id, pid_t pid, const struct target *target)
{
	struct heap *heap = collector->own;

	(void)pid;
	arenas__meet(heap->arenas, id, target);
}

static int heap_keep_up(struct collector *collector)
{
	struct heap *heap = collector->own;

	return arenas__keep_up(heap->arenas);
}

static int heap_snapshot(struct collector *collector, struct snapshot **snapshot)
{
	struct heap *heap = collector->own;
	int err = arenas__look(heap->arenas);

	if (!err)
		err = collector__read(collector, snapshot);
	if (!err)
		arenas__describe(heap->arenas, *snapshot);
	return err;
}

static void heap_forget(struct collector *collector, __u32 id)
{
	struct heap *heap = collector->own;

	arenas__forget(heap->arenas, id);
}

#define OF(counter) offsetof(struct site_counters, counter)

const struct schema heap_schema = {
	.n = 7,
	.types =
		{
			{"outstanding_bytes", "Outstanding", VALUE_BYTES, ROLE_INUSE_BYTES,
			 OF(allocated_bytes), OF(freed_bytes)},
			{"outstanding_count", NULL, VALUE_COUNT, ROLE_INUSE_COUNT,
			 OF(allocated_count), OF(freed_count)},
			{"mapped_bytes", "Mapped", VALUE_BYTES, ROLE_MAPPED_BYTES, OF(mapped_bytes),
			 OF(unmapped_bytes)},
			{"mapped_count", NULL, VALUE_COUNT, ROLE_MAPPED_COUNT, OF(mapped_count),
			 OF(unmapped_count)},
			{"allocated_bytes", NULL, VALUE_BYTES, ROLE_ALLOC_BYTES,
			 OF(allocated_bytes), OF(allocated_bytes)},
			{"allocated_count", "Allocations", VALUE_COUNT, ROLE_ALLOC_COUNT,
			 OF(allocated_count), OF(allocated_count)},
			{"arena_bytes", NULL, VALUE_BYTES, ROLE_ARENA_BYTES, OF(arena_bytes),
			 OF(arena_bytes)},
		},
};

static const struct collector_type heap_collector = {
	.probes = {.allocators = true},
	.has_peak = true,
	.load = heap_load,
	.unload = heap_unload,
	.attach = heap_attach,
	.meet = heap_meet,
	.keep_up = heap_keep_up,
	.snapshot = heap_snapshot,
	.forget = heap_forget,
};

const struct mode heap_mode = {
	.name = "heap",
	.help = "heap blocks not freed yet, by the line that allocated them",
	.schema = &heap_schema,
	.can_pause = true,
	.switchable = true,
	.counts_arenas = true,
	.collector = &heap_collector,
};
