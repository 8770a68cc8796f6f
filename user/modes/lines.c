// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "collect/counters.h"
#include "lines.skel.h"
#include "modes/mode.h"

static int lines_load(struct collector *collector)
{
	struct lines_bpf *bpf = collector->own = lines_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->config.reads_resident = true;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = lines_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->numbers = &bpf->data->numbers;
	return err;
}

static void lines_unload(struct collector *collector)
{
	lines_bpf__destroy(collector->own);
}

static const struct value_type lines_schema[] = {
	{"added_bytes", "Added", offsetof(struct values, outstanding_bytes), VALUE_CHANGE},
	{"memory_bytes", "Mem usage", offsetof(struct values, mapped_bytes), VALUE_LEVEL},
	{"base_bytes", NULL, offsetof(struct values, mapped_count), VALUE_LEVEL},
	{"occurrences", "Occurrences", offsetof(struct values, allocated_count), VALUE_COUNT},
	SCHEMA_END,
};

static const struct collector_type lines_collector = {
	.load = lines_load,
	.unload = lines_unload,
};

const struct mode lines_mode = {
	.name = "lines",
	.help = "how much each executed line added, as memory_profiler reports it",
	.schema = lines_schema,
	.warning = "each line that runs costs a trap, some 30 times its own time",
	.by_line = true,
	.renderer = "memory_profiler",
	.collector = &lines_collector,
};
