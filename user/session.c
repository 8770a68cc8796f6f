// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "collect/tracer.h"
#include "profile/build.h"
#include "profile/recycle.h"
#include "profile/sources.h"
#include "session.h"
#include "symbols/stack_table.h"
#include "target/candidates.h"
#include "target/target.h"

/* How often what has ended is made room of, and all else that is done now and then, seconds;
 * four times as often where room is short. */
#define KEEP_UP_SECONDS 1.0

/* A mode that is recorded. */
struct recorded {
	const struct mode *mode;
	struct collector *collector;
	struct totals folded;	      /* of what is no more */
	struct totals totals, before; /* of the last snapshot; that changes are counted from */
	double before_seconds;
};

struct session {
	struct session_options options;
	struct tracer *tracer;
	struct recorded modes[MOST_COLLECTORS];
	size_t nmodes;
	struct stack_table *stacks;
	struct readers *readers;
	struct candidates *candidates;
	struct process_info **infos; /* by process id; NULL: not met yet */
	struct programs *programs;
	struct recycler *recycler;
	struct snapshot *now; /* the last one */
	bool news;	      /* a process has come or gone */
	double start;
	double next_keep_up;
	char host[256];
};

static void free_mode(struct recorded *recorded)
{
	totals__done(&recorded->folded);
	totals__done(&recorded->totals);
	totals__done(&recorded->before);
}

void session__free(struct session *session)
{
	size_t i;

	if (!session)
		return;
	if (session->nmodes)
		loop__remove(session->options.loop, tracer__fd(session->tracer));
	recycler__free(session->recycler);
	tracer__free(session->tracer);
	snapshot__free(session->now);
	for (i = 0; i < session->nmodes; i++)
		free_mode(&session->modes[i]);
	for (i = 0; session->infos && i < MAX_PROCESSES; i++)
		process_info__free(session->infos[i]);
	free(session->infos);
	programs__free(session->programs);
	candidates__free(session->candidates);
	readers__free(session->readers);
	stack_table__free(session->stacks);
	free(session);
}

/* Its files are read with its own rights: who may not take them on, shows no sources. 0 or
 * -ENOMEM. */
static int find_reader(struct session *session, pid_t pid, struct reader **reader)
{
	int err = readers__find(session->readers, pid, reader);

	if (!err || err == -ENOMEM)
		return err;
	*reader = NULL;
	log_error("source lines of process %d are left out: its files cannot be read with "
		  "its rights: %s",
		  pid, strerror(-err));
	return 0;
}

/* Which program a target is one of: its parent's, its own where the user named it, else that
 * of all with its command line. */
static int program_of(struct session *session, const struct target *target, __u32 parent)
{
	struct program program = {
		.pid = session->options.all ? 0 : target->pid,
		.cmdline = (char *)target->cmdline,
		.attribution = attribution__name(target->attribution),
	};

	if (parent && session->infos[parent])
		return session->infos[parent]->program;
	memcpy(program.comm, target->comm, sizeof(program.comm));
	memcpy(program.python, target->version, sizeof(program.python));
	return programs__find(session->programs, &program);
}

/* Of a target that the tracer does not have yet: it is the tracer's then. 0 and the info, or
 * -errno. */
static int describe(struct session *session, const struct target *target, __u32 parent,
		    struct process_info **result)
{
	struct reader *reader;
	struct process_info *info;
	int program = program_of(session, target, parent);
	int err = program < 0 ? program : find_reader(session, target->pid, &reader);

	if (err)
		return err;
	info = process_info__of_target(target, program, reader);
	if (!info)
		return -ENOMEM;
	info->parent = parent ? session->infos[parent] : NULL;
	info->named = !parent && !session->options.all;
	*result = info;
	return 0;
}

/* Records n targets, which are the tracer's from then on. parent: see tracer__attach(). */
static int attach(struct session *session, struct target **targets, size_t n, __u32 parent)
{
	struct process_info **infos = calloc(n, sizeof(*infos));
	pid_t *pids = calloc(n, sizeof(*pids));
	__u32 *ids = calloc(n, sizeof(*ids));
	size_t i;
	int err = infos && pids && ids ? 0 : -ENOMEM;

	for (i = 0; !err && i < n; i++) {
		pids[i] = targets[i]->pid;
		err = describe(session, targets[i], parent, &infos[i]);
	}
	for (i = 0; err && i < n; i++)
		target__free(targets[i]);
	if (!err)
		err = tracer__attach(session->tracer, targets, n, parent, ids);
	for (i = 0; infos && i < n; i++) {
		if (err) {
			process_info__free(infos[i]);
			continue;
		}
		/* What came before its probes stood is older than the attach. */
		infos[i]->rss_at_attach = infos[i]->rss = proc_rss(pids[i]);
		process_info__free(session->infos[ids[i]]);
		session->infos[ids[i]] = infos[i];
	}
	free(infos);
	free(pids);
	free(ids);
	return err;
}

static struct target_spec spec_of(const struct session *session)
{
	const struct session_options *options = &session->options;
	struct target_spec spec = {
		.attribution = options->attribution,
		.before_main = options->before_main,
		.images = options->images,
	};
	size_t i;

	for (i = 0; i < options->nmodes; i++)
		spec.lines |= options->modes[i]->by_line;
	return spec;
}

/* The targets that there are at the start. 0, and n of them, which the caller frees, or -errno,
 * having said why. */
static int find_targets(struct session *session, struct target ***result, size_t *n)
{
	const struct session_options *options = &session->options;
	const struct target_spec spec = spec_of(session);
	struct target **targets = calloc(options->npids, sizeof(*targets));
	size_t i, found = 0;
	int err = targets ? 0 : -ENOMEM;

	for (i = 0; !err && i < options->npids; i++) {
		err = target__new(options->pids[i], &spec, &targets[found]);
		found += !err;
		err = options->all ? 0 : err;
	}
	if (!err && !found)
		err = -ESRCH;
	for (i = 0; err && i < found; i++)
		target__free(targets[i]);
	if (err) {
		free(targets);
		return err;
	}
	*result = targets;
	*n = found;
	return 0;
}

static void on_process(struct session *session, const struct process_record *record)
{
	const struct process_counters *processes;
	struct candidate candidate = {.pid = record->pid};
	size_t n;

	session->news = true;
	if (record->event != PROCESS_HAS_EXECUTED || record->record.process >= MAX_PROCESSES)
		return;
	processes = tracer__processes(session->tracer, &n);
	candidate.parent = record->record.process;
	/* What it was itself is no parent of it. */
	if (processes[candidate.parent].pid == record->pid && processes[candidate.parent].parent)
		candidate.parent = processes[candidate.parent].parent;
	if (!candidates__add(session->candidates, &candidate))
		log_detail("process %u: too many programs start at one time", record->pid);
}

static int take_record(void *context, const void *data, size_t size)
{
	const struct process_record *record = data;
	struct session *session = context;

	if (size >= sizeof(*record) && record->record.type == RECORD_PROCESS) {
		on_process(session, record);
		return 0;
	}
	return stack_table__add_record(session->stacks, data, size);
}

static struct recorded *find_mode(struct session *session, const struct mode *mode)
{
	size_t i;

	for (i = 0; i < session->nmodes; i++) {
		if (session->modes[i].mode == mode)
			return &session->modes[i];
	}
	return NULL;
}

int session__add_mode(struct session *session, const struct mode *mode)
{
	struct recorded *recorded = &session->modes[session->nmodes];
	struct ledger ledger = {
		.schema = mode->schema,
		.folded = &recorded->folded,
		.before = &recorded->before,
	};
	int err;

	if (find_mode(session, mode))
		return 0;
	if (session->nmodes == MOST_COLLECTORS) {
		log_error("%d modes are recorded at one time at most", MOST_COLLECTORS);
		return -E2BIG;
	}
	err = tracer__open(session->tracer, mode->collector, mode->name, &recorded->collector);
	if (err)
		return err;
	recorded->mode = mode;
	session->nmodes++;
	ledger.collector = recorded->collector;
	return recycler__add(session->recycler, &ledger);
}

static int on_ring(void *context)
{
	struct session *session = context;

	return tracer__drain(session->tracer);
}

/* All parts that are there before the BPF programs. */
static int make_parts(struct session *session, const struct collector_options *collector)
{
	const struct record_sink sink = {.take = take_record, .context = session};

	session->stacks = stack_table__new();
	session->readers = readers__new();
	session->candidates = candidates__new(session->options.images);
	session->infos = calloc(MAX_PROCESSES, sizeof(*session->infos));
	session->programs = programs__new();
	session->tracer = tracer__new(collector, &sink);
	if (!session->stacks || !session->readers || !session->candidates || !session->infos ||
	    !session->programs || !session->tracer)
		return -ENOMEM;
	session->recycler = recycler__new(session->tracer, session->stacks, session->programs);
	return session->recycler ? 0 : -ENOMEM;
}

static int open_modes(struct session *session)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < session->options.nmodes; i++)
		err = session__add_mode(session, session->options.modes[i]);
	if (!err)
		err = loop__add(session->options.loop, tracer__fd(session->tracer), on_ring,
				session);
	return err;
}

/* Those that started between the search and the attach. */
static void find_late(struct session *session)
{
	const struct process_counters *processes;
	struct candidate candidate = {0};
	size_t npids, n, i, id;
	pid_t *pids = proc_processes(&npids);

	processes = tracer__processes(session->tracer, &n);
	for (i = 0; pids && i < npids; i++) {
		for (id = 1; id < n && (pid_t)processes[id].pid != pids[i]; id++)
			;
		candidate.pid = pids[i];
		if (id == n && target__is_python(pids[i], session->options.images, true))
			candidates__add(session->candidates, &candidate);
	}
	free(pids);
}

static int begin(struct session *session)
{
	struct collector_options collector = session->options.collector;
	struct target **targets = NULL;
	size_t n = 0, i;
	int err = find_targets(session, &targets, &n);

	collector.targets = n;
	collector.watch_execs = session->options.all;
	for (i = 0; i < n; i++)
		collector.markers |= targets[i]->attribution == ATTRIBUTION_USDT;
	if (!err)
		err = make_parts(session, &collector);
	/* The helpers that read files inherit no map of the programs'. */
	for (i = 0; !err && i < n; i++) {
		struct reader *reader;

		err = find_reader(session, targets[i]->pid, &reader);
	}
	if (!err)
		err = open_modes(session);
	for (i = 0; err && i < n; i++)
		target__free(targets[i]);
	if (!err)
		err = attach(session, targets, n, 0);
	free(targets);
	return err;
}

int session__new(const struct session_options *options, struct session **result)
{
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	gethostname(session->host, sizeof(session->host) - 1);
	err = begin(session);
	if (err) {
		session__free(session);
		return err;
	}
	if (options->all)
		find_late(session);
	session->start = clock_seconds(CLOCK_MONOTONIC);
	log_detail("recording");
	*result = session;
	return 0;
}

double session__elapsed(const struct session *session)
{
	return clock_seconds(CLOCK_MONOTONIC) - session->start;
}

/* Children that came since the last call; one can come before its parent is met. */
static void note_children(struct session *session)
{
	const struct process_counters *processes;
	const struct process_info *parent;
	size_t n, id;
	bool any;

	processes = tracer__processes(session->tracer, &n);
	do {
		any = false;
		for (id = 1; id < n; id++) {
			if (session->infos[id] || !processes[id].pid ||
			    processes[id].parent >= MAX_PROCESSES)
				continue;
			parent = session->infos[processes[id].parent];
			if (!parent)
				continue;
			session->infos[id] = process_info__of_child(parent, processes[id].pid);
			any = session->infos[id];
		}
	} while (any);
}

/* Those that have become a CPython: what cannot be recorded has been said, and is no end of the
 * recording. */
static void take_candidates(struct session *session)
{
	const struct target_spec spec = spec_of(session);
	struct candidate candidate;
	struct target *target;

	while (candidates__take(session->candidates, &candidate)) {
		if (!target__new(candidate.pid, &spec, &target))
			attach(session, &target, 1, candidate.parent);
	}
}

/* What is done now and then, or when a process has come or gone. 0 or -errno. */
static int keep_up(struct session *session)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	bool due = now >= session->next_keep_up;
	int err = 0;

	if (session->news || due) {
		session->news = false;
		note_children(session);
		err = tracer__keep_up(session->tracer);
	}
	if (!err && due) {
		err = recycler__run(session->recycler, session->infos);
		session->next_keep_up =
			now + (recycler__is_pressed(session->recycler) ? KEEP_UP_SECONDS / 4
								       : KEEP_UP_SECONDS);
	}
	if (err)
		log_error("what came and went cannot be kept up with: %s", strerror(-err));
	else
		take_candidates(session);
	return err;
}

bool session__is_alive(const struct session *session)
{
	const struct process_counters *processes;
	size_t n, id;

	if (session->options.all || candidates__due(session->candidates) != HUGE_VAL)
		return true;
	processes = tracer__processes(session->tracer, &n);
	for (id = 1; id < n; id++) {
		if (processes[id].pid && processes[id].state == PROCESS_RUNNING)
			return true;
	}
	return false;
}

int session__wait(struct session *session, double seconds)
{
	double end = clock_seconds(CLOCK_MONOTONIC) + seconds, now, left;
	int err;

	for (;;) {
		err = keep_up(session);
		if (err)
			return err;
		now = clock_seconds(CLOCK_MONOTONIC);
		if (now >= end || signals__caught() || !session__is_alive(session))
			return 0;
		left = fmin(end, session->next_keep_up) - now;
		left = fmin(left, candidates__due(session->candidates));
		err = loop__wait(session->options.loop, session->news ? 0 : left);
		if (err == LOOP_LEAVE)
			return 0;
		if (err) {
			log_error("the BPF programs' messages cannot be read: %s", strerror(-err));
			return err;
		}
	}
}

static int take_snapshot(struct session *session, struct recorded *recorded)
{
	struct snapshot *snapshot;
	size_t id;
	int err = collector__snapshot(recorded->collector, &snapshot);

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
	return totals__of_snapshot(&recorded->totals, recorded->mode->schema, snapshot,
				   session->stacks, &recorded->folded);
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

	process = &tracer__processes(session->tracer, &n)[id_of(session, info)];
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
static int complete(struct session *session, const struct mode *mode,
		    const struct profile_options *options, struct profile *profile)
{
	const struct read_permission permission = {may_read, session};
	const struct filter *filter = session->options.filter;
	const bool by_line = mode->by_line;
	struct profile_process *process;
	struct process_info *info;
	size_t i, top;
	int err = 0;

	for (i = 0; !err && i < profile->nprocesses; i++) {
		process = &profile->processes[i];
		info = process->ended ? NULL : find_info(session, process->pid);
		if (by_line)
			filter__drop_files(filter, process);
		top = by_line ? process->nlines : options->sources_of;
		if (info && top)
			err = sources__load(profile, process, info, &permission, top, by_line);
		if (!err && by_line)
			err = filter__apply(filter, profile, process, options->order);
	}
	return err;
}

int session__profile(struct session *session, const struct mode *mode,
		     const struct profile_options *options, struct profile **result)
{
	struct recorded *recorded = find_mode(session, mode);
	struct build_input input = {
		.host = session->host,
		.mode = mode->name,
		.schema = mode->schema,
		.counts_resident = mode->counts_resident,
		.before = &recorded->before,
		.before_seconds = recorded->before_seconds,
		.totals = &recorded->totals,
		.programs = session->programs,
		.stacks = session->stacks,
		.infos = session->infos,
		.order = options->order,
	};
	struct profile *profile = NULL;
	struct totals swap;
	int err = take_snapshot(session, recorded);

	if (err)
		return err;
	input.now = session->now;
	err = profile__build(&input, &profile);
	if (!err)
		err = complete(session, mode, options, profile);
	if (err) {
		profile__free(profile);
		log_error("no memory for the profile");
		return err;
	}
	if (options->next) {
		swap = recorded->before;
		recorded->before = recorded->totals;
		recorded->totals = swap;
		recorded->before_seconds = session->now->seconds;
	}
	*result = profile;
	return 0;
}
