// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "profile/build.h"
#include "profile/recycle.h"
#include "profile/sources.h"
#include "session.h"
#include "symbols/stack_table.h"
#include "target/target.h"

/* How often it is looked whether the targets are still there, milliseconds. */
#define CHECK_MS 100

/* How often what has ended is made room of. */
#define RECYCLE_SECONDS 1.0

struct session {
	const struct mode *mode;
	struct collector *collector;
	const struct filter *filter;
	struct stack_table *stacks;
	struct readers *readers;
	struct target **targets;
	size_t ntargets;
	struct process_info **infos; /* by process id; NULL: not met yet */
	struct recycler *recycler;
	struct snapshot *now;
	struct totals totals, before; /* of the snapshot; that changes are counted from */
	double before_seconds;
	double start;
	double next_recycling;
	char host[256];
};

void session__free(struct session *session)
{
	size_t i;

	if (!session)
		return;
	recycler__free(session->recycler);
	collector__close(session->collector);
	snapshot__free(session->now);
	totals__done(&session->totals);
	totals__done(&session->before);
	for (i = 0; session->infos && i < MAX_PROCESSES; i++)
		process_info__free(session->infos[i]);
	free(session->infos);
	for (i = 0; i < session->ntargets; i++)
		target__free(session->targets[i]);
	free(session->targets);
	readers__free(session->readers);
	stack_table__free(session->stacks);
	free(session);
}

/* Its files are read with its own rights: who may not take them on, shows no sources. */
static int note_target(struct session *session, const struct target *target, size_t id)
{
	struct reader *reader = NULL;
	int err = readers__find(session->readers, target->pid, &reader);

	if (err == -ENOMEM)
		return err;
	if (err)
		log_error("source lines of process %d are left out: its files cannot be read with "
			  "its rights: %s",
			  target->pid, strerror(-err));
	session->infos[id] = process_info__of_target(target, id, reader);
	return session->infos[id] ? 0 : -ENOMEM;
}

static int find_targets(struct session *session, const struct session_options *options,
			struct collector_options *collector)
{
	const struct target_spec spec = {
		.attribution = options->attribution,
		.lines = options->mode->by_line,
		.before_main = options->before_main,
		.images = options->images,
	};
	struct target *target;
	size_t i;
	int err;

	session->targets = calloc(options->npids, sizeof(*session->targets));
	if (!session->targets)
		return -ENOMEM;
	for (i = 0; i < options->npids; i++) {
		err = target__new(options->pids[i], &spec, &session->targets[session->ntargets]);
		if (err && options->all)
			continue;
		if (err)
			return err;
		target = session->targets[session->ntargets++];
		collector->markers |= target->attribution == ATTRIBUTION_USDT;
		err = note_target(session, target, session->ntargets);
		if (err)
			return err;
	}
	collector->targets = session->ntargets;
	return session->ntargets ? 0 : -ESRCH;
}

static int take_record(void *stacks, const void *record, size_t size)
{
	return stack_table__add_record(stacks, record, size);
}

int session__new(const struct session_options *options, struct session **result)
{
	struct session *session = calloc(1, sizeof(*session));
	struct collector_options collector = options->collector;
	struct record_sink sink = {.take = take_record};
	int err = -ENOMEM;

	if (!session)
		return -ENOMEM;
	session->mode = options->mode;
	session->filter = options->filter;
	gethostname(session->host, sizeof(session->host) - 1);
	session->stacks = stack_table__new();
	session->readers = readers__new();
	session->infos = calloc(MAX_PROCESSES, sizeof(*session->infos));
	if (!session->stacks || !session->readers || !session->infos)
		goto fail;
	sink.context = session->stacks;
	err = find_targets(session, options, &collector);
	if (!err)
		err = collector__open(session->mode->collector, &collector, &sink,
				      &session->collector);
	if (!err)
		err = collector__attach(session->collector, session->targets, session->ntargets);
	if (err)
		goto fail;
	session->recycler =
		recycler__new(session->collector, session->stacks, session->mode->schema);
	err = -ENOMEM;
	if (!session->recycler)
		goto fail;
	session->start = clock_seconds(CLOCK_MONOTONIC);
	log_detail("recording");
	*result = session;
	return 0;
fail:
	session__free(session);
	return err;
}

double session__elapsed(const struct session *session)
{
	return clock_seconds(CLOCK_MONOTONIC) - session->start;
}

/* Children that came since the last call. */
static void note_children(struct session *session)
{
	const struct process_counters *processes;
	const struct process_info *parent;
	size_t n, id;

	processes = collector__processes(session->collector, &n);
	for (id = 1; id < n; id++) {
		if (session->infos[id] || !processes[id].pid ||
		    processes[id].parent >= MAX_PROCESSES)
			continue;
		parent = session->infos[processes[id].parent];
		if (parent)
			session->infos[id] = process_info__of_child(parent, processes[id].pid);
	}
}

static int take_snapshot(struct session *session)
{
	struct snapshot *snapshot;
	size_t id;
	int err = collector__snapshot(session->collector, &snapshot);

	if (err) {
		log_error("the counts cannot be read: %s", strerror(-err));
		return err;
	}
	note_children(session);
	for (id = 1; id < snapshot->nprocesses; id++) {
		if (session->infos[id] && snapshot->processes[id].state == PROCESS_RUNNING)
			session->infos[id]->rss = proc_rss(snapshot->processes[id].pid);
	}
	snapshot__free(session->now);
	session->now = snapshot;
	return totals__of_snapshot(&session->totals, session->mode->schema, snapshot,
				   session->stacks, recycler__folded(session->recycler));
}

static int recycle(struct session *session)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	int err;

	if (now < session->next_recycling)
		return 0;
	err = recycler__run(session->recycler, session->infos, &session->before);
	session->next_recycling =
		now +
		(recycler__is_pressed(session->recycler) ? RECYCLE_SECONDS / 4 : RECYCLE_SECONDS);
	if (err)
		log_error("what has ended cannot be made room of: %s", strerror(-err));
	return err;
}

bool session__is_alive(const struct session *session)
{
	const struct process_counters *processes;
	size_t n, id;

	processes = collector__processes(session->collector, &n);
	for (id = 1; id < n; id++) {
		if (processes[id].pid && processes[id].state == PROCESS_RUNNING)
			return true;
	}
	return false;
}

int session__wait(struct session *session, double seconds)
{
	double end = clock_seconds(CLOCK_MONOTONIC) + seconds, left;
	int err;

	for (;;) {
		note_children(session);
		err = recycle(session);
		if (err)
			return err;
		left = end - clock_seconds(CLOCK_MONOTONIC);
		if (left <= 0 || signals__caught() || !session__is_alive(session))
			return 0;
		err = collector__poll(session->collector,
				      left * 1000 < CHECK_MS ? left * 1000 + 1 : CHECK_MS);
		if (err == -EINTR)
			return 0;
		if (err) {
			log_error("the BPF programs' messages cannot be read: %s", strerror(-err));
			return err;
		}
	}
}

static size_t id_of(const struct session *session, const struct process_info *info)
{
	size_t id = 1;

	while (session->infos[id] != info)
		id++;
	return id;
}

/*
 * Whether the process that named a file still has, or had to its end, the rights that its
 * reader has: one that gave up some, or executed something else, shall not read with them.
 * The programs tell of its end before its id can be another's.
 */
static bool may_read(void *context, const struct process_info *info)
{
	const struct session *session = context;
	const volatile struct process_counters *process;
	bool fits;
	size_t n;

	process = &collector__processes(session->collector, &n)[id_of(session, info)];
	fits = process->state == PROCESS_RUNNING && reader__fits(info->reader, process->pid);
	if (process->state == PROCESS_RUNNING)
		return fits;
	/* Which files a child saw when it ended is not known. */
	return process->state == PROCESS_EXITED && !info->parent &&
	       reader__is_of(info->reader, process->uid, process->gid, process->capabilities);
}

/* The info of a process of a profile; NULL where there is none. */
static struct process_info *find_info(const struct session *session, pid_t pid)
{
	size_t id;

	/* An id of the system's can come twice: the last one has it now. */
	for (id = session->now->nprocesses; id-- > 1;) {
		if (session->now->processes[id].pid == (__u32)pid)
			return session->infos[id];
	}
	return NULL;
}

/* The texts of the files of top lines; mode lines takes its functions from them. */
static int complete(struct session *session, const struct profile_options *options,
		    struct profile *profile)
{
	const struct read_permission permission = {may_read, session};
	const bool by_line = session->mode->by_line;
	struct profile_process *process;
	struct process_info *info;
	size_t i, top;
	int err = 0;

	for (i = 0; !err && i < profile->nprocesses; i++) {
		process = &profile->processes[i];
		info = process->ended ? NULL : find_info(session, process->pid);
		if (by_line)
			filter__drop_files(session->filter, process);
		top = by_line ? process->nlines : options->sources_of;
		if (info && top)
			err = sources__load(profile, process, info, &permission, top, by_line);
		if (!err && by_line)
			err = filter__apply(session->filter, profile, process, options->order);
	}
	return err;
}

int session__profile(struct session *session, const struct profile_options *options,
		     struct profile **result)
{
	struct build_input input = {
		.host = session->host,
		.mode = session->mode->name,
		.schema = session->mode->schema,
		.counts_resident = session->mode->counts_resident,
		.before = &session->before,
		.before_seconds = session->before_seconds,
		.totals = &session->totals,
		.ended = recycler__ended(session->recycler),
		.stacks = session->stacks,
		.infos = session->infos,
		.order = options->order,
	};
	struct profile *profile = NULL;
	struct totals swap;
	int err = take_snapshot(session);

	if (err)
		return err;
	input.now = session->now;
	err = profile__build(&input, &profile);
	if (!err)
		err = complete(session, options, profile);
	if (err) {
		profile__free(profile);
		log_error("no memory for the profile");
		return err;
	}
	if (options->next) {
		swap = session->before;
		session->before = session->totals;
		session->totals = swap;
		session->before_seconds = session->now->seconds;
	}
	*result = profile;
	return 0;
}
