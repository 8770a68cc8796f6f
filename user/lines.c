// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "lines.h"
#include "lines.skel.h"
#include "parts.h"

struct source {
	struct lines_bpf *bpf;
	struct parts parts;
	struct source_options options;
};

static void lines_close(struct source *source)
{
	if (!source)
		return;
	parts__close(&source->parts);
	lines_bpf__destroy(source->bpf);
	free(source);
}

static int load(struct source *source)
{
	struct lines_bpf *bpf = lines_bpf__open();
	int err;

	source->bpf = bpf;
	if (!bpf)
		return -errno;
	err = books__configure(bpf->obj, &bpf->rodata->config, &source->options, true);
	return err ? err : lines_bpf__load(bpf);
}

static int lines_open(const struct source_options *options, struct stacks *stacks,
		      struct source **result)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->options = *options;
	err = load(source);
	if (err)
		parts__say_not_loaded(err);
	else
		err = parts__open(&source->parts, source->bpf->obj, &source->bpf->data->numbers,
				  options, stacks);
	if (err) {
		lines_close(source);
		return err;
	}
	*result = source;
	return 0;
}

static int lines_attach(struct source *source, struct target *const *targets, size_t n)
{
	const struct probe_wish wish = { 0 };
	int err = parts__attach(&source->parts, targets, n, &wish, source->options.follow);

	books__begin(source->parts.books);
	return err ? err : processes__admit(source->parts.processes, targets, n);
}

static int lines_poll(struct source *source, int timeout_ms)
{
	return parts__poll(&source->parts, timeout_ms);
}

static const struct process_book *lines_processes(const struct source *source, size_t *n)
{
	return books__processes(source->parts.books, n);
}

static int lines_snapshot(struct source *source, struct snapshot **snapshot)
{
	return books__snapshot(source->parts.books, snapshot);
}

static int lines_explain(const struct target *target, FILE *out)
{
	return probe_points__explain(target, &(struct probe_wish){ 0 }, out);
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
	.explain = lines_explain,
	.open = lines_open,
	.attach = lines_attach,
	.poll = lines_poll,
	.processes = lines_processes,
	.snapshot = lines_snapshot,
	.close = lines_close,
};
