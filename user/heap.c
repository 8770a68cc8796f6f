// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "books.h"
#include "kernel_features.h"
#include "heap.h"
#include "heap.skel.h"

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
	return err ? err : bpf_map__set_max_entries(bpf->maps.regions, 1 << 11);
}

static int heap_load(struct source *source)
{
	struct heap_bpf *bpf = source->own = heap_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	err = books__configure(bpf->obj, &bpf->rodata->config, &source->options, true);
	if (!err)
		err = size_maps(bpf, source->options.max_blocks);
	if (!err)
		err = heap_bpf__load(bpf);
	source->object = bpf->obj;
	source->numbers = &bpf->data->numbers;
	return err;
}

static void heap_unload(struct source *source)
{
	heap_bpf__destroy(source->own);
}

static const struct measure heap_measures[] = {
	{ "outstanding_bytes", "Outstanding", offsetof(struct amounts, outstanding_bytes), MEASURE_BYTES },
	{ "outstanding_count", NULL, offsetof(struct amounts, outstanding_count), MEASURE_COUNT },
	{ "mapped_bytes", "Mapped", offsetof(struct amounts, mapped_bytes), MEASURE_BYTES },
	{ "mapped_count", NULL, offsetof(struct amounts, mapped_count), MEASURE_COUNT },
	{ "allocated_bytes", NULL, offsetof(struct amounts, allocated_bytes), MEASURE_BYTES },
	{ "allocated_count", "Allocations", offsetof(struct amounts, allocated_count), MEASURE_COUNT },
	MEASURES_END,
};

const struct source_type heap_source = {
	.name = "heap",
	.help = "heap blocks, by the line that allocated them, until they are freed",
	.measures = heap_measures,
	.wish = { .allocators = true },
	.switchable = true,
	.load = heap_load,
	.unload = heap_unload,
};
