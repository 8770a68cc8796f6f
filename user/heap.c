// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "heap.h"
#include "heap.skel.h"
#include "parts.h"
#include "system.h"

struct source {
	struct heap_bpf *bpf;
	struct parts parts;
	struct source_options options;
};

static void heap_close(struct source *source)
{
	if (!source)
		return;
	parts__close(&source->parts);
	heap_bpf__destroy(source->bpf);
	free(source);
}

static int load(struct source *source)
{
	const struct source_options *options = &source->options;
	struct heap_bpf *bpf = heap_bpf__open();
	int err;

	source->bpf = bpf;
	if (!bpf)
		return -errno;
	err = books__configure(bpf->obj, &bpf->rodata->config, options, true);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.blocks, options->max_blocks);
	if (!err && !system__features().bpf_allocator)
		err = bpf_map__set_max_entries(bpf->maps.regions, 1 << 12);
	return err ? err : heap_bpf__load(bpf);
}

static int heap_open(const struct source_options *options, struct stacks *stacks,
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
		heap_close(source);
		return err;
	}
	*result = source;
	return 0;
}

/* Every probe is in place before the first process is admitted, so nothing is seen by
 * halves. */
static int heap_attach(struct source *source, struct target *const *targets, size_t n)
{
	const struct probe_wish wish = {
		.allocators = true,
		.at_entry = source->options.at_entry,
	};
	int err = parts__attach(&source->parts, targets, n, &wish, source->options.follow);

	books__begin(source->parts.books);
	return err ? err : processes__admit(source->parts.processes, targets, n);
}

static int heap_poll(struct source *source, int timeout_ms)
{
	return parts__poll(&source->parts, timeout_ms);
}

static int heap_snapshot(struct source *source, struct snapshot **snapshot)
{
	return books__snapshot(source->parts.books, snapshot);
}

static const struct process_book *heap_processes(const struct source *source, size_t *n)
{
	return books__processes(source->parts.books, n);
}

static int heap_explain(const struct target *target, FILE *out)
{
	return probe_points__explain(target, &(struct probe_wish){ .allocators = true }, out);
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
	.switchable = true,
	.explain = heap_explain,
	.open = heap_open,
	.attach = heap_attach,
	.poll = heap_poll,
	.processes = heap_processes,
	.snapshot = heap_snapshot,
	.close = heap_close,
};
