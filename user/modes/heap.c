// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>

#include "base/kernel.h"
#include "collect/counters.h"
#include "heap.skel.h"
#include "modes/heap.h"
#include "modes/mode.h"

/* Where the kernel has to allocate all elements beforehand, there are fewer: 45 MiB for all
 * hashes in place of 150. */
int heap__size_maps(const struct bpf_object *object, unsigned int max_blocks)
{
	bool allocates = feature__has(FEATURE_HASH_ALLOCATION);
	const struct {
		const char *map;
		unsigned int entries;
	} sizes[] = {
		{"blocks", max_blocks  ? max_blocks
			   : allocates ? 1000000
				       : 1 << 18},
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
	return err;
}

static int heap_load(struct collector *collector)
{
	struct heap_bpf *bpf = collector->own = heap_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = heap__size_maps(bpf->obj, collector->options.max_blocks);
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

const struct schema heap_schema = {
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
