// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>

#include "collect/counters.h"
#include "lines.skel.h"
#include "modes/mode.h"

static int lines_load(struct collector *collector)
{
	struct lines_bpf *bpf = collector->own = lines_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = lines_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void lines_unload(struct collector *collector)
{
	lines_bpf__destroy(collector->own);
}

#define OF(counter) offsetof(struct site_counters, counter)

static const struct schema lines_schema = {
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

static const struct collector_type lines_collector = {
	.load = lines_load,
	.unload = lines_unload,
};

const struct mode lines_mode = {
	.name = "lines",
	.help = "what each executed line added, as memory_profiler reports it",
	.schema = &lines_schema,
	.warning = "each executed line costs a trap, some 30 times its own time",
	.by_line = true,
	.renderer = "memory_profiler",
	.collector = &lines_collector,
};
