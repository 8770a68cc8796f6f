// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/counters.h"
#include "collect/processes.h"
#include "collect/tracer.h"
#include "probes/attach.h"
#include "probes/keeper.h"

struct tracer {
	struct collector_options options;
	struct record_sink sink;
	struct collector_set collectors;
	/* Made with the first collector, which owns their maps. */
	struct counters *counters;
	struct processes *processes;
	struct keeper *keeper;
};

struct tracer *tracer__new(const struct record_sink *sink)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!tracer)
		return NULL;
	tracer->sink = *sink;
	return tracer;
}

void tracer__configure(struct tracer *tracer, const struct collector_options *options)
{
	tracer->options = *options;
}

void tracer__free(struct tracer *tracer)
{
	size_t i;

	if (!tracer)
		return;
	/* The first one has the maps of all. */
	for (i = tracer->collectors.n; i-- > 0;)
		collector__close(tracer->collectors.of[i]);
	processes__free(tracer->processes);
	keeper__free(tracer->keeper);
	counters__free(tracer->counters);
	free(tracer);
}

/* Makes what all collectors share. */
static int make_shared(struct tracer *tracer, const struct collector *first)
{
	int err = counters__new(first->object, &tracer->options, &tracer->sink, &tracer->counters);

	if (err) {
		log_error("the BPF programs' maps cannot be read: %s", strerror(-err));
		return err;
	}
	err = keeper__new(bpf_object__find_map_fd_by_name(first->object, "fork_ring"),
			  &tracer->keeper);
	if (err) {
		log_error("forked processes cannot be kept: %s", strerror(-err));
		return err;
	}
	tracer->processes = processes__new(&tracer->collectors, tracer->counters, tracer->keeper);
	return tracer->processes ? 0 : -ENOMEM;
}

/* Attaches to a process that is already recorded, and that may end meanwhile; also defines its
 * image, unless that is done. 0 or -errno, having said why. */
static int attach_process(struct collector *collector, const struct attach_point *point, pid_t pid,
			  bool *has_image)
{
	int err = *has_image ? 0 : attacher__define(collector->attacher, point, 1, pid);

	*has_image |= !err;
	if (!err)
		err = attacher__watch(collector->attacher, pid, point->process, point->image);
	return err && !proc_exists(pid) ? -ESRCH : err;
}

/* Attaches to all that is recorded already, and to what that forks meanwhile. */
static int attach_running(struct tracer *tracer, struct collector *collector)
{
	bool has_image[MAX_IMAGES] = {false}, seen[MAX_PROCESSES] = {false}, any;
	const struct process_counters *counts;
	struct attach_point point;
	size_t n, id;
	int err = 0;

	counts = counters__processes(tracer->counters, &n);
	do {
		processes__keep_up(tracer->processes);
		any = false;
		for (id = 1; !err && id < n; id++) {
			point.process = id;
			point.target = processes__target(tracer->processes, id, &point.image);
			if (seen[id] || !point.target || !counts[id].pid ||
			    counts[id].state != PROCESS_RUNNING)
				continue;
			seen[id] = any = true;
			err = attach_process(collector, &point, counts[id].pid,
					     &has_image[point.image]);
			if (!err)
				collector__meet(collector, id, counts[id].pid, point.target);
			if (!err)
				collector->begin = clock_seconds(CLOCK_MONOTONIC);
			err = err == -ESRCH ? 0 : err;
		}
	} while (!err && any);
	return err;
}

int tracer__open(struct tracer *tracer, const struct collector_type *type, const char *name,
		 struct collector **result)
{
	struct collector_options options = tracer->options;
	struct collector_set *collectors = &tracer->collectors;
	struct collector *collector;
	int err;

	if (collectors->n == MOST_COLLECTORS)
		return -E2BIG;
	options.first = collectors->n ? collectors->of[0]->object : NULL;
	/* Pages are recorded all the time: that costs little, and a page is touched first once. */
	options.pauses &= type->probes.allocators;
	err = collector__open(type, name, &options, &collector);
	if (err)
		return err;
	collectors->of[collectors->n++] = collector;
	if (!tracer->counters)
		err = make_shared(tracer, collector);
	attacher__set_keeper(collector->attacher, tracer->keeper);
	if (options.pauses)
		attacher__will_pause(collector->attacher);
	if (!err)
		err = collector__begin(collector, tracer->counters);
	if (!err)
		err = attach_running(tracer, collector);
	if (err) {
		/* Without the first there is nothing to go on with: the caller gives up. */
		if (collectors->n > 1) {
			collectors->n--;
			collector__close(collector);
		}
		return err;
	}
	*result = collector;
	return 0;
}

/* Gives each target an id, and frees those that cannot get one. 0 or -errno, having said why. */
static int open_all(struct tracer *tracer, struct target *const *targets, size_t n, __u32 parent,
		    __u32 *ids)
{
	size_t i;
	int err = 0, id;

	for (i = 0; i < n; i++) {
		id = err ? err : processes__open(tracer->processes, targets[i], parent);
		if (id < 0 && !err)
			log_error("process %d cannot be counted: %s", targets[i]->pid,
				  id == -E2BIG ? "too many at one time" : strerror(-id));
		if (id < 0) {
			err = id;
			target__free(targets[i]);
		}
		ids[i] = id < 0 ? 0 : id;
	}
	return err;
}

static int attach_collectors(struct tracer *tracer, struct target *const *targets, size_t n,
			     const __u32 *ids)
{
	auto_free struct attach_point *points = calloc(n, sizeof(*points));
	struct collector *collector;
	size_t i, c;
	int err = points ? 0 : -ENOMEM;

	for (i = 0; !err && i < n; i++) {
		points[i].process = ids[i];
		points[i].target = processes__target(tracer->processes, ids[i], &points[i].image);
	}
	for (c = 0; !err && c < tracer->collectors.n; c++) {
		collector = tracer->collectors.of[c];
		err = attacher__add(collector->attacher, points, n);
		for (i = 0; !err && i < n; i++)
			collector__meet(collector, ids[i], targets[i]->pid, targets[i]);
		if (!collector->begin)
			collector->begin = clock_seconds(CLOCK_MONOTONIC);
	}
	return err;
}

/* All probes are in place before the first process is admitted, so nothing is seen by halves. */
int tracer__attach(struct tracer *tracer, struct target *const *targets, size_t n, __u32 parent,
		   __u32 *ids)
{
	size_t i;
	int err = open_all(tracer, targets, n, parent, ids);

	if (!err)
		err = attach_collectors(tracer, targets, n, ids);
	for (i = 0; !err && i < n; i++)
		err = processes__admit(tracer->processes, ids[i]);
	for (i = 0; err && i < n; i++) {
		if (ids[i])
			processes__drop(tracer->processes, ids[i]);
	}
	return err ? err : tracer__keep_up(tracer);
}

/* In all processes that share the image, but those that end meanwhile. */
static int watch_more(struct tracer *tracer, struct collector *collector, __u32 image)
{
	const struct process_counters *counts;
	__u32 of_process;
	size_t n, id;
	int err = 0;

	counts = counters__processes(tracer->counters, &n);
	for (id = 1; !err && id < n; id++) {
		if (!counts[id].pid || counts[id].state != PROCESS_RUNNING ||
		    !processes__target(tracer->processes, id, &of_process) || of_process != image)
			continue;
		err = attacher__watch_last(collector->attacher, counts[id].pid, id, image);
		if (err && !proc_exists(counts[id].pid))
			err = 0;
	}
	return err;
}

void tracer__attach_more(struct tracer *tracer, __u32 id)
{
	const struct process_counters *counts;
	struct attach_point point = {.process = id};
	struct collector *collector;
	size_t n, c;
	int err;

	counts = counters__processes(tracer->counters, &n);
	point.target = processes__target(tracer->processes, id, &point.image);
	for (c = 0; point.target && c < tracer->collectors.n; c++) {
		collector = tracer->collectors.of[c];
		if (!collector->type->probes.allocators || collector->options.pauses)
			continue;
		err = attacher__define_more(collector->attacher, &point, counts[id].pid);
		if (!err)
			err = watch_more(tracer, collector, point.image);
		if (!err)
			log_detail("process %d: an allocator that it has loaded is followed",
				   counts[id].pid);
	}
}

int tracer__fd(const struct tracer *tracer)
{
	return counters__fd(tracer->counters);
}

int tracer__drain(struct tracer *tracer)
{
	return counters__drain(tracer->counters);
}

int tracer__keep_up(struct tracer *tracer)
{
	size_t i;
	int err = 0;

	processes__keep_up(tracer->processes);
	for (i = 0; !err && i < tracer->collectors.n; i++)
		err = collector__keep_up(tracer->collectors.of[i]);
	return err;
}

void tracer__pause(struct tracer *tracer)
{
	size_t i;

	for (i = 0; i < tracer->collectors.n; i++) {
		if (tracer->collectors.of[i]->options.pauses)
			attacher__pause(tracer->collectors.of[i]->attacher);
	}
}

int tracer__resume(struct tracer *tracer)
{
	const struct process_counters *counts;
	const struct target *target;
	__u32 image;
	size_t n, id, i;
	int err = 0;

	counts = counters__processes(tracer->counters, &n);
	for (id = 1; !err && id < n; id++) {
		target = counts[id].pid && counts[id].state == PROCESS_RUNNING
				 ? processes__target(tracer->processes, id, &image)
				 : NULL;
		for (i = 0; target && !err && i < tracer->collectors.n; i++) {
			if (tracer->collectors.of[i]->options.pauses)
				err = attacher__watch(tracer->collectors.of[i]->attacher,
						      counts[id].pid, id, image);
		}
		if (err && !proc_exists(counts[id].pid))
			err = 0;
	}
	return err;
}

const struct process_counters *tracer__processes(const struct tracer *tracer, size_t *n)
{
	return counters__processes(tracer->counters, n);
}

const struct collector_set *tracer__collectors(const struct tracer *tracer)
{
	return &tracer->collectors;
}

struct counters *tracer__counters(struct tracer *tracer)
{
	return tracer->counters;
}

struct processes *tracer__record(struct tracer *tracer)
{
	return tracer->processes;
}

int tracer__free_site(struct tracer *tracer, __u32 site, __u64 hash)
{
	size_t i;

	for (i = 0; i < tracer->collectors.n; i++)
		collector__clear_site(tracer->collectors.of[i], site);
	return counters__free_site(tracer->counters, site, hash);
}

int tracer__free_process(struct tracer *tracer, __u32 id)
{
	size_t i;

	for (i = 0; i < tracer->collectors.n; i++)
		collector__forget(tracer->collectors.of[i], id);
	return processes__forget(tracer->processes, id);
}
