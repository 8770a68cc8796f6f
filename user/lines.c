// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "books.h"
#include "lines.h"
#include "lines.skel.h"

static int lines_load(struct source *source)
{
	struct lines_bpf *bpf = source->own = lines_bpf__open();
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->config.reads_resident = true;
	err = books__configure(bpf->obj, &bpf->rodata->config, &source->options, true);
	if (!err)
		err = lines_bpf__load(bpf);
	source->object = bpf->obj;
	source->numbers = &bpf->data->numbers;
	return err;
}

static void lines_unload(struct source *source)
{
	lines_bpf__destroy(source->own);
}

static const struct measure lines_measures[] = {
	{ "added_bytes", "Added", offsetof(struct amounts, outstanding_bytes), MEASURE_CHANGE },
	{ "memory_bytes", "Mem usage", offsetof(struct amounts, mapped_bytes), MEASURE_LEVEL },
	{ "base_bytes", NULL, offsetof(struct amounts, mapped_count), MEASURE_LEVEL },
	{ "occurrences", "Occurrences", offsetof(struct amounts, allocated_count), MEASURE_COUNT },
	MEASURES_END,
};

const struct source_type lines_source = {
	.name = "lines",
	.help = "how much each executed line added, as memory_profiler reports it",
	.measures = lines_measures,
	.warning = "each line that runs costs a trap, some 30 times its own time",
	.by_line = true,
	.load = lines_load,
	.unload = lines_unload,
};
