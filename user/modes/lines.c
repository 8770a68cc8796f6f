// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>

#include "base/kernel.h"
#include "collect/counters.h"
#include "lines.skel.h"
#include "modes/mode.h"

/* Chooses the programs that see each page come and go on this kernel. */
static void choose_programs(struct lines_bpf *bpf)
{
	bool held_back = !feature__has(FEATURE_RSS_STAT);
	bool fexit = held_back && feature__has(FEATURE_FAULT_FENTRY);

	bpf_program__set_autoload(bpf->progs.pymemtop_fexit, fexit);
	bpf_program__set_autoload(bpf->progs.pymemtop_kretprobe, held_back && !fexit);
}

static int lines_load(struct collector *collector)
{
	struct lines_bpf *bpf = collector->own = lines_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	choose_programs(bpf);
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

static int lines_attach(struct collector *collector)
{
	struct lines_bpf *bpf = collector->own;
	const struct attachable programs[] = {
		{bpf->progs.pymemtop_rss, &bpf->links.pymemtop_rss},
		{bpf->progs.pymemtop_fexit, &bpf->links.pymemtop_fexit},
		{bpf->progs.pymemtop_kretprobe, &bpf->links.pymemtop_kretprobe},
	};

	return collector__attach(programs, sizeof(programs) / sizeof(programs[0]),
				 "changes of the resident memory");
}

#define OF(counter) offsetof(struct site_counters, counter)

static const struct schema lines_schema = {
	.n = 2,
	.types =
		{
			{"added_bytes", "Added", VALUE_CHANGE, ROLE_INUSE_BYTES,
			 OF(allocated_bytes), OF(freed_bytes)},
			{"memory_bytes", "Mem usage", VALUE_LEVEL, ROLE_NONE, OF(mapped_bytes),
			 OF(mapped_bytes)},
		},
};

static const struct collector_type lines_collector = {
	.load = lines_load,
	.unload = lines_unload,
	.attach = lines_attach,
};

extern const struct mode line_markers_mode;

const struct mode lines_mode = {
	.name = "lines",
	.help = "what the resident memory gained while each line ran, as memory_profiler reports it",
	.schema = &lines_schema,
	.by_line = true,
	.sums_callers = true,
	.with_markers = &line_markers_mode,
	.renderer = "memory_profiler",
	.collector = &lines_collector,
};
