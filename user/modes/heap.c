// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>

#include "base/kernel.h"
#include "collect/counters.h"
#include "heap.skel.h"
#include "modes/mode.h"

/* Where the kernel has to allocate all elements beforehand, there are fewer: 45 MiB for all
 * hashes in place of 150. */
static int size_maps(struct heap_bpf *bpf, unsigned int max_blocks)
{
	bool allocates = feature__has(FEATURE_HASH_ALLOCATION);
	int err;

	if (!max_blocks)
		max_blocks = allocates ? 1000000 : 1 << 18;
	err = bpf_map__set_max_entries(bpf->maps.blocks, max_blocks);
	if (err || allocates)
		return err;
	err = bpf_map__set_max_entries(bpf->maps.mappings, 1 << 14);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.whole_regions, 1 << 14);
	return err ? err : bpf_map__set_max_entries(bpf->maps.mapped_regions, 1 << 11);
}

static int heap_load(struct collector *collector)
{
	struct heap_bpf *bpf = collector->own = heap_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = size_maps(bpf, collector->options.max_blocks);
	if (!err)
		err = heap_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void heap_unload(struct collector *collector)
{
	heap_bpf__destroy(collector->own);
}

#define OF(counter) offsetof(struct site_counters, counter)

static const struct schema heap_schema = {
	.n = 6,
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
		},
};

static const struct collector_type heap_collector = {
	.probes = {.allocators = true},
	.load = heap_load,
	.unload = heap_unload,
};

const struct mode heap_mode = {
	.name = "heap",
	.help = "heap blocks not freed yet, by the line that allocated them",
	.schema = &heap_schema,
	.switchable = true,
	.collector = &heap_collector,
};
