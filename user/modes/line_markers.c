// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>

#include "collect/counters.h"
#include "line_markers.skel.h"
#include "modes/mode.h"

static int line_markers_load(struct collector *collector)
{
	struct line_markers_bpf *bpf = collector->own = line_markers_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = line_markers_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void line_markers_unload(struct collector *collector)
{
	line_markers_bpf__destroy(collector->own);
}

#define OF(counter) offsetof(struct site_counters, counter)

static const struct schema line_markers_schema = {
	.n = 4,
	.types =
		{
			{"added_bytes", "Added", VALUE_CHANGE, ROLE_INUSE_BYTES,
			 OF(allocated_bytes), OF(freed_bytes)},
			{"memory_bytes", "Mem usage", VALUE_LEVEL, ROLE_NONE, OF(mapped_bytes),
			 OF(mapped_bytes)},
			{"base_bytes", NULL, VALUE_CHANGE, ROLE_NONE, OF(mapped_count),
			 OF(mapped_count)},
			{"occurrences", "Occurrences", VALUE_COUNT, ROLE_INUSE_COUNT,
			 OF(allocated_count), OF(allocated_count)},
		},
};

static const struct collector_type line_markers_collector = {
	.load = line_markers_load,
	.unload = line_markers_unload,
};

const struct mode line_markers_mode = {
	.name = "lines",
	.help = "what each executed line added, as memory_profiler reports it",
	.schema = &line_markers_schema,
	.warning = "each executed line costs a trap, some 30 times its own time",
	.by_line = true,
	.needs_markers = true,
	.renderer = "memory_profiler",
	.collector = &line_markers_collector,
};
