// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "clock.h"
#include "judge.h"
#include "parts.h"
#include "procfs.h"
#include "rss.h"
#include "rss.skel.h"
#include "say.h"
#include "system.h"

/* A snapshot takes no more of the time since the last one to look at what is resident. */
#define LOOK_SHARE 0.1

/* Between snapshots it is looked, too, for a hundredth of the time. */
#define LOOK_SECONDS 1.0
#define LOOK_QUIETLY 0.01

struct source {
	struct rss_bpf *bpf;
	struct parts parts;
	struct judge *judge;
	struct source_options options;
	double last;			/* snapshot */
	double next_look;
	uint64_t anon[MAX_PROCESSES];	/* RssAnon when last seen, by process id */
	uint64_t anon_at_attach[MAX_PROCESSES];
};

static void rss_close(struct source *source)
{
	if (!source)
		return;
	judge__free(source->judge);
	parts__close(&source->parts);
	rss_bpf__destroy(source->bpf);
	free(source);
}

static int load(struct source *source)
{
	const struct source_options *options = &source->options;
	struct rss_bpf *bpf = rss_bpf__open();
	int err;

	source->bpf = bpf;
	if (!bpf)
		return -errno;
	bpf->rodata->config.sample = options->sample;
	/* The faults' tracepoints come before the kernel switches interrupts on again. */
	err = books__configure(bpf->obj, &bpf->rodata->config, options, false);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.pages, options->max_regions);
	/* One at a time it can make, and preallocated they would be 128 MiB. */
	if (!err && system__features().bpf_allocator)
		err = bpf_map__set_map_flags(bpf->maps.pages, BPF_F_NO_PREALLOC);
	return err ? err : rss_bpf__load(bpf);
}

/* x86 has had the tracepoints for long, other architectures lately or not. */
static int check_kernel(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "btf_trace_page_fault_user",
						 BTF_KIND_TYPEDEF) > 0;

	btf__free(btf);
	if (!has)
		say_error("this kernel has no tracepoints exceptions:page_fault_user and _kernel, which "
			  "--mode rss needs; --mode heap works without");
	else if (sysconf(_SC_PAGESIZE) != 1 << PAGE_SHIFT)
		say_error("--mode rss knows pages of 4 KiB only; --mode heap works with others");
	else
		return 0;
	return -ENOTSUP;
}

static int rss_open(const struct source_options *options, struct stacks *stacks,
		    struct source **result)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->options = *options;
	err = check_kernel();
	if (err)
		goto fail;
	err = load(source);
	if (err)
		parts__say_not_loaded(err);
	else
		err = parts__open(&source->parts, source->bpf->obj, &source->bpf->data->numbers,
				  options, stacks);
	if (!err) {
		source->judge = judge__new(source->bpf->obj, &source->bpf->bss->correction,
					   source->parts.books, options->sample);
		err = source->judge ? 0 : -ENOMEM;
	}
	if (err)
		goto fail;
	*result = source;
	return 0;
fail:
	rss_close(source);
	return err;
}

static int attach_faults(struct rss_bpf *bpf)
{
	int err;

	bpf->links.fault_user = bpf_program__attach(bpf->progs.fault_user);
	err = libbpf_get_error(bpf->links.fault_user);
	if (!err) {
		bpf->links.fault_kernel = bpf_program__attach(bpf->progs.fault_kernel);
		err = libbpf_get_error(bpf->links.fault_kernel);
	}
	if (err)
		say_error("the page faults' tracepoints cannot be attached: %s", strerror(-err));
	return err;
}

/* What is resident when the processes are first looked at, is from before. */
static int rss_attach(struct source *source, struct target *const *targets, size_t n)
{
	const struct probe_wish wish = {
		.mappers = true,
		.at_entry = source->options.at_entry,
	};
	size_t i;
	int err = parts__attach(&source->parts, targets, n, &wish, source->options.follow);

	if (!err)
		err = attach_faults(source->bpf);
	for (i = 0; i < n; i++)
		source->anon_at_attach[i + 1] = proc_status_bytes(targets[i]->pid, "RssAnon");
	books__begin(source->parts.books);
	source->last = clock_seconds(CLOCK_MONOTONIC);
	if (!err)
		err = processes__admit(source->parts.processes, targets, n);
	return err ? err : judge__meet(source->judge);
}

/* So that what a process has at its end is known, if not by the kernel's last word (before
 * 6.16 it has none). */
static void note_anon(struct source *source)
{
	const struct process_book *books;
	uint64_t now;
	size_t n, id;

	books = books__processes(source->parts.books, &n);
	for (id = 1; id < n; id++) {
		if (!books[id].pid || books[id].state != PROCESS_RUNNING)
			continue;
		now = proc_status_bytes(books[id].pid, "RssAnon");
		if (now)
			source->anon[id] = now;
	}
}

static int rss_poll(struct source *source, int timeout_ms)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	int err = parts__poll(&source->parts, timeout_ms), met = judge__meet(source->judge);

	if (err || met)
		return err ? err : met;
	if (now < source->next_look)
		return 0;
	source->next_look = now + LOOK_SECONDS;
	note_anon(source);
	return judge__look(source->judge, LOOK_SECONDS * LOOK_QUIETLY);
}

static const struct process_book *rss_processes(const struct source *source, size_t *n)
{
	return books__processes(source->parts.books, n);
}

/* RssAnon now, or at the process's end. */
static void complete_book(struct source *source, struct process_book *book, size_t id)
{
	uint64_t now = 0;

	if (book->state == PROCESS_RUNNING)
		now = proc_status_bytes(book->pid, "RssAnon");
	else
		now = book->anon_bytes;
	if (now)
		source->anon[id] = now;
	book->anon_bytes = source->anon[id];
	if (!judge__can_look(source->judge, id))
		book->before_bytes = source->anon_at_attach[id];
}

static int rss_snapshot(struct source *source, struct snapshot **result)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	struct snapshot *snapshot;
	size_t id;
	int err = judge__look(source->judge, LOOK_SHARE * (begin - source->last));

	source->last = begin;
	if (!err)
		err = books__snapshot(source->parts.books, &snapshot);
	if (err)
		return err;
	for (id = 1; id < snapshot->nprocesses; id++)
		complete_book(source, &snapshot->processes[id], id);
	*result = snapshot;
	return 0;
}

static int rss_explain(const struct target *target, FILE *out)
{
	return probe_points__explain(target, &(struct probe_wish){ .mappers = true }, out);
}

static const struct measure rss_measures[] = {
	{ "resident_bytes", "Resident", offsetof(struct amounts, outstanding_bytes), MEASURE_BYTES },
	{ "touched_bytes", "Touched", offsetof(struct amounts, allocated_bytes), MEASURE_BYTES },
	MEASURES_END,
};

const struct source_type rss_source = {
	.name = "rss",
	.help = "resident pages, by the line that touched each first, while they are mapped",
	.measures = rss_measures,
	.switchable = true,
	.counts_resident = true,
	.explain = rss_explain,
	.open = rss_open,
	.attach = rss_attach,
	.poll = rss_poll,
	.processes = rss_processes,
	.snapshot = rss_snapshot,
	.close = rss_close,
};
