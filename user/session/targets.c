// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/processes.h"
#include "inspect/linecache.h"
#include "session/targets.h"
#include "target/candidates.h"
#include "target/readers.h"

struct targets {
	struct targets_options options;
	struct tracer *tracer; /* outlives the targets */
	struct readers *readers;
	struct candidates *candidates;
	struct process_info **infos; /* by process id; NULL: not met yet */
	struct programs *programs;
	bool markers; /* some target's markers are followed */
};

struct targets *targets__new(const struct targets_options *options, struct tracer *tracer)
{
	struct targets *targets = calloc(1, sizeof(*targets));

	if (!targets)
		return NULL;
	targets->options = *options;
	targets->tracer = tracer;
	targets->readers = readers__new();
	targets->candidates = candidates__new(options->images);
	targets->infos = calloc(MAX_PROCESSES, sizeof(*targets->infos));
	targets->programs = programs__new();
	if (!targets->readers || !targets->candidates || !targets->infos || !targets->programs) {
		targets__free(targets);
		return NULL;
	}
	return targets;
}

void targets__free(struct targets *targets)
{
	size_t i;

	if (!targets)
		return;
	for (i = 0; targets->infos && i < MAX_PROCESSES; i++)
		process_info__free(targets->infos[i]);
	free(targets->infos);
	programs__free(targets->programs);
	candidates__free(targets->candidates);
	readers__free(targets->readers);
	free(targets);
}

struct process_info **targets__infos(struct targets *targets)
{
	return targets->infos;
}

struct programs *targets__programs(struct targets *targets)
{
	return targets->programs;
}

/* A process's files are read with its own rights: if we cannot take those on, it shows no sources.
 * Returns 0 or -ENOMEM. */
static int find_reader(struct targets *targets, pid_t pid, struct reader **reader)
{
	int err = 0;

	*reader = NULL;
	if (!targets->options.no_sources)
		err = readers__find(targets->readers, pid, reader);
	if (!err || err == -ENOMEM)
		return err;
	log_error("no source lines for process %d: pymemtop cannot read files with that "
		  "process's rights: %s%s",
		  pid, strerror(-err),
		  err == -EPERM ? "; that takes root, or, for a process of another user, "
				  "CAP_SETUID and CAP_SETGID"
				: "");
	return 0;
}

/* Returns a target's program: its parent's; its own if the user named it; else that of all with its
 * command line. Or -ENOMEM. */
static int program_of(struct targets *targets, const struct target *target, __u32 parent)
{
	struct program program = {
		.pid = targets->options.all ? 0 : target->pid,
		.cmdline = (char *)target->cmdline,
		.attribution = attribution__name(target->attribution),
	};

	if (parent && targets->infos[parent])
		return targets->infos[parent]->program;
	memcpy(program.comm, target->comm, sizeof(program.comm));
	memcpy(program.python, target->version, sizeof(program.python));
	return programs__find(targets->programs, &program);
}

/* Makes the info of a target new to the tracer. Returns 0 and the info, or -errno. */
static int describe(struct targets *targets, const struct target *target, __u32 parent,
		    struct process_info **result)
{
	struct reader *reader;
	struct process_info *info;
	int program = program_of(targets, target, parent);
	int err = program < 0 ? program : find_reader(targets, target->pid, &reader);

	if (err)
		return err;
	info = process_info__of_target(target, program, reader);
	if (!info)
		return -ENOMEM;
	info->parent = parent ? targets->infos[parent] : NULL;
	info->named = !parent && !targets->options.all;
	*result = info;
	return 0;
}

int targets__attach(struct targets *targets, struct target *const *found, size_t n, __u32 parent)
{
	auto_free struct process_info **infos = calloc(n, sizeof(*infos));
	auto_free pid_t *pids = calloc(n, sizeof(*pids));
	auto_free __u32 *ids = calloc(n, sizeof(*ids));
	size_t i;
	int err = infos && pids && ids ? 0 : -ENOMEM;

	for (i = 0; !err && i < n; i++) {
		pids[i] = found[i]->pid;
		err = describe(targets, found[i], parent, &infos[i]);
	}
	for (i = 0; err && i < n; i++)
		target__free(found[i]);
	if (!err)
		err = tracer__attach(targets->tracer, found, n, parent, ids);
	for (i = 0; infos && i < n; i++) {
		if (err) {
			process_info__free(infos[i]);
			continue;
		}
		/* Memory that came before the probes were in counts as from before the attach. */
		infos[i]->rss_at_attach = infos[i]->rss = proc_rss(pids[i]);
		/* It may have loaded more while it was attached to. */
		infos[i]->has_loaded = true;
		process_info__free(targets->infos[ids[i]]);
		targets->infos[ids[i]] = infos[i];
	}
	return err;
}

static struct target_spec spec_of(const struct targets *targets)
{
	return (struct target_spec){
		.attribution = targets->options.attribution,
		.lines = targets->options.lines,
		.before_main = targets->options.before_main,
		.privates = targets->options.privates,
		.images = targets->options.images,
	};
}

int targets__find(struct targets *targets, const pid_t *pids, size_t npids, struct target ***result,
		  size_t *n)
{
	const struct target_spec spec = spec_of(targets);
	auto_free struct target **found = calloc(npids + 1, sizeof(*found));
	size_t i, nfound = 0;
	struct reader *reader;
	int err = found ? 0 : -ENOMEM;

	for (i = 0; !err && i < npids; i++) {
		err = target__new(pids[i], &spec, &found[nfound]);
		nfound += !err;
		err = targets->options.all ? 0 : err;
	}
	/* If there is none for a target, describe() will say so. */
	for (i = 0; !err && !targets->options.no_sources && i < nfound; i++)
		err = readers__find(targets->readers, found[i]->pid, &reader) == -ENOMEM ? -ENOMEM
											 : 0;
	for (i = 0; err && i < nfound; i++)
		target__free(found[i]);
	if (err)
		return err;
	for (i = 0; i < nfound; i++)
		targets->markers |= found[i]->attribution == ATTRIBUTION_USDT;
	*result = take(found);
	*n = nfound;
	return 0;
}

void targets__attach_each(struct targets *targets, const pid_t *pids, size_t n)
{
	const struct target_spec spec = spec_of(targets);
	struct target *target;
	size_t i;

	for (i = 0; i < n; i++) {
		if (proc_exists(pids[i]) && !target__new(pids[i], &spec, &target))
			targets__attach(targets, &target, 1, 0);
	}
}

bool targets__need_markers(const struct targets *targets)
{
	return targets->markers;
}

void targets__hear(struct targets *targets, const struct process_record *record)
{
	const struct process_counters *processes;
	struct candidate candidate = {.pid = record->pid};
	size_t n;

	if (record->record.process >= MAX_PROCESSES)
		return;
	if (record->event == PROCESS_HAS_LOADED && targets->infos[record->record.process])
		targets->infos[record->record.process]->has_loaded = true;
	if (record->event != PROCESS_HAS_EXECUTED)
		return;
	processes = tracer__processes(targets->tracer, &n);
	candidate.parent = record->record.process;
	/* A process is not its own parent: take the parent that it had. */
	if (processes[candidate.parent].pid == record->pid && processes[candidate.parent].parent)
		candidate.parent = processes[candidate.parent].parent;
	if (!candidates__add(targets->candidates, &candidate))
		log_detail("process %u: too many programs start at one time", record->pid);
}

void targets__find_late(struct targets *targets)
{
	const struct process_counters *processes;
	struct candidate candidate = {0};
	size_t npids, n, i, id;
	auto_free pid_t *pids = proc_processes(&npids);

	processes = tracer__processes(targets->tracer, &n);
	for (i = 0; pids && i < npids; i++) {
		for (id = 1; id < n && (pid_t)processes[id].pid != pids[i]; id++)
			;
		candidate.pid = pids[i];
		if (id == n && target__is_python(pids[i], targets->options.images, true))
			candidates__add(targets->candidates, &candidate);
	}
}

/* Repeats, as a child can come before its parent is met. */
void targets__note_children(struct targets *targets)
{
	const struct process_counters *processes;
	const struct process_info *parent;
	size_t n, id;
	bool any;

	processes = tracer__processes(targets->tracer, &n);
	do {
		any = false;
		for (id = 1; id < n; id++) {
			if (targets->infos[id] || !processes[id].pid ||
			    processes[id].parent >= MAX_PROCESSES)
				continue;
			parent = targets->infos[processes[id].parent];
			if (!parent)
				continue;
			targets->infos[id] = process_info__of_child(parent, processes[id].pid);
			any = targets->infos[id];
		}
	} while (any);
}

void targets__take_candidates(struct targets *targets)
{
	struct target_spec spec = spec_of(targets);
	struct candidate candidate;
	struct target *target;

	spec.before_main = false;
	/* Programs that follow markers are only loaded if they are wanted at the start. */
	if (!targets->markers && !spec.attribution)
		spec.attribution = ATTRIBUTION_FRAMES;
	while (candidates__take(targets->candidates, &candidate)) {
		/* What a recorded process starts belongs to it. */
		if (!candidate.parent && targets->options.selection &&
		    !selection__takes(targets->options.selection, candidate.pid))
			continue;
		if (!target__new(candidate.pid, &spec, &target) &&
		    !targets__attach(targets, &target, 1, candidate.parent))
			log_detail("process %d is recorded", candidate.pid);
	}
}

void targets__want_privates(struct targets *targets)
{
	size_t id;

	if (targets->options.privates)
		return;
	targets->options.privates = true;
	for (id = 0; id < MAX_PROCESSES; id++) {
		if (targets->infos[id])
			targets->infos[id]->has_loaded = true;
	}
}

void targets__follow_loaded(struct targets *targets)
{
	const struct process_counters *processes;
	size_t n, id;

	if (!targets->options.privates)
		return;
	processes = tracer__processes(targets->tracer, &n);
	for (id = 1; id < n; id++) {
		if (!targets->infos[id] || !targets->infos[id]->has_loaded)
			continue;
		targets->infos[id]->has_loaded = false;
		if (processes[id].state == PROCESS_RUNNING &&
		    processes__look_at_loaded(tracer__record(targets->tracer), id,
					      targets->options.images) > 0)
			tracer__attach_more(targets->tracer, id);
	}
}

double targets__due(const struct targets *targets)
{
	return candidates__due(targets->candidates);
}

bool targets__are_alive(const struct targets *targets)
{
	const struct process_counters *processes;
	size_t n, id;

	if (targets->options.all || candidates__due(targets->candidates) != HUGE_VAL)
		return true;
	processes = tracer__processes(targets->tracer, &n);
	for (id = 1; id < n; id++) {
		if (processes[id].pid && processes[id].state == PROCESS_RUNNING)
			return true;
	}
	return false;
}

static size_t id_of(const struct targets *targets, const struct process_info *info)
{
	size_t id = 1;

	while (targets->infos[id] != info)
		id++;
	return id;
}

/*
 * Whether the process that named a file still has, or had until its end, the rights of its reader:
 * one that gave up some, or executed something else, must not read with them. The programs report
 * its end before another process can get its pid.
 */
bool targets__may_read(void *context, const struct process_info *info)
{
	const struct targets *targets = context;
	const volatile struct process_counters *process;
	bool fits;
	size_t n;

	process = &tracer__processes(targets->tracer, &n)[id_of(targets, info)];
	fits = process->state == PROCESS_RUNNING && reader__fits(info->reader, process->pid);
	if (process->state == PROCESS_RUNNING)
		return fits;
	/* We do not know which files a child saw when it ended. */
	return process->state == PROCESS_EXITED && !info->parent &&
	       reader__is_of(info->reader, process->uid, process->gid, process->capabilities);
}

struct source_text *targets__find_text(void *context, const struct process_info *info,
				       const char *file)
{
	const struct targets *targets = context;
	const struct process_counters *process;
	const struct target *target;
	__u32 id = id_of(targets, info), image;
	size_t n;

	process = &tracer__processes(targets->tracer, &n)[id];
	target = processes__target(tracer__record(targets->tracer), id, &image);
	return target && process->state == PROCESS_RUNNING
		       ? linecache__find(target, process->pid, file)
		       : NULL;
}
