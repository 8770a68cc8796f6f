// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/counters.h"
#include "modes/arenas.h"
#include "modes/mode.h"
#include "modes/rss_reconcile.h"
#include "rss.skel.h"

/* A snapshot looks at what is resident for at most this share of the time since the last one. */
#define LOOK_SHARE 0.1

/* Looks between snapshots take a hundredth of the time. */
#define LOOK_SECONDS 1.0
#define LOOK_QUIETLY 0.01

struct rss {
	struct rss_bpf *bpf;
	struct reconciler *reconciler;
	struct arenas *arenas;
	double last; /* time of the last snapshot */
	double next_look;
	uint64_t anon[MAX_PROCESSES]; /* RssAnon when last seen, by process id */
	uint64_t anon_at_attach[MAX_PROCESSES];
};

static int rss_check(void)
{
	if (sysconf(_SC_PAGESIZE) == 1 << PAGE_SHIFT)
		return 0;
	log_error("--mode rss only supports pages of 4 KiB; use --mode heap");
	return -ENOTSUP;
}

/* Chooses the best programs that see page faults on this kernel: one or two of them. */
static void choose_fault_programs(struct rss_bpf *bpf)
{
	bool tracepoints = feature__has(FEATURE_FAULT_TRACEPOINTS);
	bool fentry = !tracepoints && feature__has(FEATURE_FAULT_FENTRY);

	bpf_program__set_autoload(bpf->progs.pymemtop_ufault, tracepoints);
	bpf_program__set_autoload(bpf->progs.pymemtop_kfault, tracepoints);
	bpf_program__set_autoload(bpf->progs.pymemtop_fentry, fentry);
	bpf_program__set_autoload(bpf->progs.pymemtop_kprobe, !tracepoints && !fentry);
}

/* 128 GiB of resident pages. If all elements must be allocated beforehand, four times the machine's
 * memory: a page that several processes share counts for each. */
static unsigned int max_regions(const struct collector_options *options)
{
	unsigned long ours = sysconf(_SC_PHYS_PAGES) / REGION_PAGES * 4 + 1024;
	unsigned int most = options->max_regions ? options->max_regions : 65536;

	return options->max_regions || feature__has(FEATURE_HASH_ALLOCATION) || ours > most ? most
											    : ours;
}

static int rss_load(struct collector *collector)
{
	struct rss *rss = collector->own = calloc(1, sizeof(*rss));
	struct rss_bpf *bpf = rss ? rss_bpf__open() : NULL;
	int err;

	if (!bpf)
		return -errno;
	rss->bpf = bpf;
	bpf->rodata->config.sample = collector->options.sample;
	choose_fault_programs(bpf);
	/* The tracepoints of faults come before the kernel enables interrupts again. */
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, false);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.page_regions,
					       max_regions(&collector->options));
	/* The kernel can make one region at a time, and preallocated they would be 128 MiB. Stacks
	 * of markers are made in uprobes. */
	if (!err && feature__has(FEATURE_HASH_ALLOCATION)) {
		err = bpf_map__set_map_flags(bpf->maps.page_regions, BPF_F_NO_PREALLOC);
		if (!err)
			err = bpf_map__set_map_flags(bpf->maps.marker_table, BPF_F_NO_PREALLOC);
	}
	if (!err)
		err = rss_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void rss_unload(struct collector *collector)
{
	struct rss *rss = collector->own;

	if (!rss)
		return;
	arenas__free(rss->arenas);
	reconciler__free(rss->reconciler);
	rss_bpf__destroy(rss->bpf);
	free(rss);
}

static int attach_faults(struct rss_bpf *bpf)
{
	const struct attachable faults[] = {
		{bpf->progs.pymemtop_ufault, &bpf->links.pymemtop_ufault},
		{bpf->progs.pymemtop_kfault, &bpf->links.pymemtop_kfault},
		{bpf->progs.pymemtop_fentry, &bpf->links.pymemtop_fentry},
		{bpf->progs.pymemtop_kprobe, &bpf->links.pymemtop_kprobe},
	};

	return collector__attach(faults, sizeof(faults) / sizeof(faults[0]), "page faults");
}

static int rss_attach(struct collector *collector)
{
	struct rss *rss = collector->own;
	int err = attach_faults(rss->bpf);

	if (err)
		return err;
	rss->reconciler = reconciler__new(collector->object, &rss->bpf->bss->correction,
					  collector->counters, collector->options.sample);
	rss->arenas = arenas__new(collector, ARENAS_IN_PAGES);
	if (!rss->reconciler || !rss->arenas)
		return -ENOMEM;
	rss->last = clock_seconds(CLOCK_MONOTONIC);
	rss->next_look = rss->last + LOOK_SECONDS;
	return 0;
}

static void rss_meet(struct collector *collector, __u32 id, pid_t pid, const struct target *target)
{
	struct rss *rss = collector->own;

	arenas__meet(rss->arenas, id, target);
	rss->anon_at_attach[id] = proc_status_bytes(pid, "RssAnon");
}

/* Returns RssAnon now, or at the process's end: as the kernel reported it then or, if it did not
 * (before 6.16), as last seen. */
static uint64_t update_anon(struct rss *rss, const struct process_counters *counters, size_t id)
{
	uint64_t now = counters->state == PROCESS_RUNNING
			       ? proc_status_bytes(counters->pid, "RssAnon")
			       : counters->anon_bytes;

	if (now)
		rss->anon[id] = now;
	return rss->anon[id];
}

/* Pages that are resident when a process is first looked at are from before. */
static int rss_keep_up(struct collector *collector)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	struct rss *rss = collector->own;
	const struct process_counters *processes;
	int err = reconciler__meet(rss->reconciler);
	size_t n, id;

	if (err || now < rss->next_look)
		return err;
	rss->next_look = now + LOOK_SECONDS;
	processes = counters__processes(collector->counters, &n);
	for (id = 1; id < n; id++)
		update_anon(rss, &processes[id], id);
	err = reconciler__look(rss->reconciler, LOOK_SECONDS * LOOK_QUIETLY);
	return err ? err : arenas__keep_up(rss->arenas);
}

static int rss_snapshot(struct collector *collector, struct snapshot **result)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	struct rss *rss = collector->own;
	struct process_counters *counters;
	struct snapshot *snapshot;
	size_t id;
	int err = reconciler__look(rss->reconciler, LOOK_SHARE * (begin - rss->last));

	rss->last = begin;
	if (!err)
		err = arenas__look(rss->arenas);
	if (!err)
		err = collector__read(collector, &snapshot);
	if (err)
		return err;
	arenas__describe(rss->arenas, snapshot);
	for (id = 1; id < snapshot->nprocesses; id++) {
		counters = &snapshot->processes[id];
		counters->anon_bytes = update_anon(rss, counters, id);
		counters->shared_bytes = reconciler__shared_bytes(rss->reconciler, id);
		if (!reconciler__can_look(rss->reconciler, id))
			counters->before_bytes = rss->anon_at_attach[id];
	}
	*result = snapshot;
	return 0;
}

static void rss_forget(struct collector *collector, __u32 id)
{
	struct rss *rss = collector->own;

	rss->anon[id] = rss->anon_at_attach[id] = 0;
	reconciler__forget(rss->reconciler, id);
	arenas__forget(rss->arenas, id);
}

#define OF(counter) offsetof(struct site_counters, counter)

static const struct schema rss_schema = {
	.n = 6,
	.types =
		{
			{"resident_bytes", "First touch", VALUE_BYTES, ROLE_INUSE_BYTES,
			 OF(allocated_bytes), OF(freed_bytes)},
			{"resident_pages", NULL, VALUE_COUNT, ROLE_INUSE_COUNT, OF(allocated_count),
			 OF(freed_count)},
			{"shared_bytes", "Shared", VALUE_BYTES, ROLE_MAPPED_BYTES, OF(mapped_bytes),
			 OF(unmapped_bytes)},
			{"shared_pages", NULL, VALUE_COUNT, ROLE_MAPPED_COUNT, OF(mapped_count),
			 OF(unmapped_count)},
			{"touched_bytes", "Touched", VALUE_BYTES, ROLE_ALLOC_BYTES,
			 OF(allocated_bytes), OF(allocated_bytes)},
			{"arena_bytes", NULL, VALUE_BYTES, ROLE_ARENA_BYTES, OF(arena_bytes),
			 OF(arena_bytes)},
		},
};

static const struct collector_type rss_collector = {
	.probes = {.mappers = true},
	.check = rss_check,
	.load = rss_load,
	.unload = rss_unload,
	.attach = rss_attach,
	.meet = rss_meet,
	.keep_up = rss_keep_up,
	.snapshot = rss_snapshot,
	.forget = rss_forget,
};

const struct mode rss_mode = {
	.name = "rss",
	.help = "resident pages, by the line that touched each first",
	.schema = &rss_schema,
	.switchable = true,
	.counts_arenas = true,
	.counts_resident = true,
	.collector = &rss_collector,
};
