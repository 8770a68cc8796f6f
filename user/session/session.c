// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "collect/processes.h"
#include "collect/tracer.h"
#include "profile/alive.h"
#include "profile/build.h"
#include "profile/callers.h"
#include "profile/mapped.h"
#include "profile/merge.h"
#include "profile/recycle.h"
#include "profile/sources.h"
#include "session/cost.h"
#include "session/looks.h"
#include "session/session.h"
#include "session/targets.h"
#include "session/windows.h"
#include "symbols/stack_table.h"

/* Seconds between periodic work, such as recycling; a quarter of that if room is short. */
#define KEEP_UP_SECONDS 1.0

/* A mode that is recorded. */
struct recorded {
	const struct mode *mode;
	struct collector *collector;
	struct totals folded;	      /* of what is gone */
	struct totals totals, before; /* of the last snapshot; where changes begin */
	double before_seconds;
};

struct session {
	struct session_options options;
	struct tracer *tracer;
	struct recorded modes[MOST_COLLECTORS];
	size_t nmodes;
	struct stack_table *stacks;
	struct targets *targets;
	struct recycler *recycler;
	struct windows *windows; /* NULL: all is seen */
	struct cost *cost;	 /* NULL: windows tell what they cost */
	struct looks *looks;	 /* NULL: types are not asked for */
	struct snapshot *now;	 /* the last one */
	bool news;		 /* a process has come or gone */
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
	windows__free(session->windows);
	cost__free(session->cost);
	looks__free(session->looks);
	recycler__free(session->recycler);
	targets__free(session->targets);
	tracer__free(session->tracer);
	snapshot__free(session->now);
	for (i = 0; i < session->nmodes; i++)
		free_mode(&session->modes[i]);
	stack_table__free(session->stacks);
	free(session);
}

/* More than the table of any module; the size is the target's word. */
#define MOST_TABLE (64 << 20)

/* A table that cannot be read any more leaves its code without lines, which is shown. Returns 0 or
 * -ENOMEM. */
static int take_long_table(struct session *session, const struct long_table *record)
{
	const struct process_counters *processes;
	uint8_t *table;
	uint64_t now;
	size_t n;

	processes = tracer__processes(session->tracer, &n);
	if (record->record.process >= n || record->size > MOST_TABLE)
		return 0;
	table = malloc(record->size);
	if (!table)
		return -ENOMEM;
	if (proc_read(processes[record->record.process].pid, record->address, table,
		      record->size) ||
	    proc_read(processes[record->record.process].pid, record->size_address, &now,
		      sizeof(now)) ||
	    now != record->size) {
		free(table);
		return 0;
	}
	return stack_table__add_long_table(session->stacks, record, table);
}

static int take_record(void *context, const void *data, size_t size)
{
	const struct process_record *record = data;
	struct session *session = context;

	if (size >= sizeof(*record) && record->record.type == RECORD_PROCESS) {
		session->news = true;
		targets__hear(session->targets, record);
		return 0;
	}
	if (size >= sizeof(struct long_table) && record->record.type == RECORD_LONG_TABLE)
		return take_long_table(session, data);
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

/* Whether a mode's blocks are those of allocators that files have inside, too. */
static bool wants_privates(const struct session *session, const struct mode *mode)
{
	return mode->collector->probes.allocators && session->options.max_overhead <= 0;
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
		log_error("at most %d modes can be recorded at once", MOST_COLLECTORS);
		return -E2BIG;
	}
	err = tracer__open(session->tracer, mode->collector, mode->name, &recorded->collector);
	if (err)
		return err;
	recorded->mode = mode;
	session->nmodes++;
	if (wants_privates(session, mode))
		targets__want_privates(session->targets);
	ledger.collector = recorded->collector;
	return recycler__add(session->recycler, &ledger);
}

static int on_ring(void *context)
{
	struct session *session = context;

	return tracer__drain(session->tracer);
}

/* Makes all parts that must be there before the BPF programs. */
static int make_parts(struct session *session)
{
	const struct session_options *options = &session->options;
	const struct record_sink sink = {.take = take_record, .context = session};
	struct targets_options targets = {
		.attribution = options->attribution,
		.before_main = options->before_main,
		.no_sources = options->no_sources,
		.all = options->all,
		.selection = options->selection,
		.images = options->images,
	};
	size_t i;

	for (i = 0; i < options->nmodes; i++) {
		targets.lines |= options->modes[i]->needs_markers;
		targets.privates |= wants_privates(session, options->modes[i]);
	}
	session->stacks = stack_table__new();
	session->tracer = tracer__new(&sink);
	session->targets = session->tracer ? targets__new(&targets, session->tracer) : NULL;
	if (!session->stacks || !session->targets)
		return -ENOMEM;
	session->recycler = recycler__new(session->tracer, session->stacks,
					  targets__programs(session->targets));
	return session->recycler ? 0 : -ENOMEM;
}

static int open_modes(struct session *session, const struct collector_options *options)
{
	size_t i;
	int err = 0;

	tracer__configure(session->tracer, options);
	for (i = 0; !err && i < session->options.nmodes; i++)
		err = session__add_mode(session, session->options.modes[i]);
	if (!err)
		err = loop__add(session->options.loop, tracer__fd(session->tracer), on_ring,
				session);
	return err;
}

static int begin(struct session *session)
{
	struct collector_options collector = session->options.collector;
	auto_free struct target **found = NULL;
	size_t n = 0, i;
	int err = make_parts(session);

	if (!err)
		err = targets__find(session->targets, session->options.pids, session->options.npids,
				    &found, &n);
	if (err)
		return err;
	collector.targets = n;
	collector.watch_execs = session->options.all;
	collector.markers = targets__need_markers(session->targets);
	collector.pauses = session->options.max_overhead > 0;
	collector.min_age = session->options.min_age;
	err = open_modes(session, &collector);
	for (i = 0; err && i < n; i++)
		target__free(found[i]);
	if (err)
		return err;
	err = targets__attach(session->targets, found, n, 0);
	/* Of a whole host, one odd process must not keep the others from being recorded. */
	if (err && err != -ENOMEM && session->options.all) {
		log_notice("attaching to one process after the other");
		targets__attach_each(session->targets, session->options.pids,
				     session->options.npids);
		err = 0;
	}
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
		targets__find_late(session->targets);
	if (options->max_overhead > 0) {
		err = windows__new(session->tracer, options->max_overhead, options->min_age,
				   &session->windows);
	} else {
		session->cost = cost__new(session->tracer);
		err = session->cost ? 0 : -ENOMEM;
	}
	if (err) {
		session__free(session);
		return err;
	}
	session->start = clock_seconds(CLOCK_MONOTONIC);
	log_detail("recording");
	err = options->types ? session__see_types(session) : 0;
	if (err)
		session__free(session);
	else
		*result = session;
	return err;
}

int session__see_types(struct session *session)
{
	int err;

	if (session->looks)
		return 0;
	session->looks =
		looks__new(session->tracer, session->options.loop, session->options.images);
	err = session->looks ? looks__keep_up(session->looks) : -ENOMEM;
	if (err)
		log_error("the objects of the targets cannot be looked at: %s", strerror(-err));
	return err;
}

double session__elapsed(const struct session *session)
{
	return clock_seconds(CLOCK_MONOTONIC) - session->start;
}

/* Does periodic work, and what is due when a process has come or gone. Returns 0 or -errno. */
static int keep_up(struct session *session)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	bool due = now >= session->next_keep_up;
	int err = 0;

	if (session->news || due) {
		session->news = false;
		targets__note_children(session->targets);
		targets__follow_loaded(session->targets);
		err = tracer__keep_up(session->tracer);
	}
	if (!err && due) {
		err = recycler__run(session->recycler, targets__infos(session->targets));
		session->next_keep_up =
			now + (recycler__is_pressed(session->recycler) ? KEEP_UP_SECONDS / 4
								       : KEEP_UP_SECONDS);
	}
	if (!err && session->looks)
		err = looks__keep_up(session->looks);
	if (err)
		log_error("processes that come and go cannot be followed: %s", strerror(-err));
	else
		targets__take_candidates(session->targets);
	return err;
}

bool session__is_alive(const struct session *session)
{
	return targets__are_alive(session->targets);
}

int session__wait(struct session *session, double seconds)
{
	double end = clock_seconds(CLOCK_MONOTONIC) + seconds, now, left;
	int err;

	for (;;) {
		err = keep_up(session);
		if (!err && session->windows)
			err = windows__step(session->windows);
		if (session->cost)
			cost__step(session->cost);
		if (err)
			return err;
		now = clock_seconds(CLOCK_MONOTONIC);
		if (now >= end || signals__caught() || !session__is_alive(session))
			return 0;
		left = fmin(end, session->next_keep_up) - now;
		left = fmin(left, targets__due(session->targets));
		if (session->cost)
			left = fmin(left, fmax(cost__due(session->cost) - now, 0));
		if (session->looks)
			left = fmin(left, fmax(looks__due(session->looks) - now, 0));
		if (session->windows)
			left = fmin(left, fmax(windows__due(session->windows) - now, 0));
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
	struct process_info **infos = targets__infos(session->targets);
	struct snapshot *snapshot;
	pid_t pid;
	size_t id;
	int err;

	if (session->windows)
		windows__estimate(session->windows);
	err = collector__snapshot(recorded->collector, &snapshot);

	if (err) {
		log_error("the counters cannot be read: %s", strerror(-err));
		return err;
	}
	targets__note_children(session->targets);
	for (id = 1; id < snapshot->nprocesses; id++) {
		if (!infos[id] || snapshot->processes[id].state != PROCESS_RUNNING)
			continue;
		pid = snapshot->processes[id].pid;
		infos[id]->rss = proc_rss(pid);
		infos[id]->rss_file = proc_status_bytes(pid, "RssFile");
		infos[id]->rss_shared = proc_status_bytes(pid, "RssShmem");
	}
	snapshot__free(session->now);
	session->now = snapshot;
	return totals__of_snapshot(&recorded->totals, recorded->mode->schema, snapshot,
				   session->stacks, &recorded->folded);
}

/* Adds what is alive in a process, if that was looked at. */
static int add_alive(const struct session *session, struct profile *profile,
		     struct profile_process *process)
{
	struct looked looked = looks__of(session->looks, process->pid);
	struct profile_alive *alive = &process->alive;

	alive->why = looked.why ? profile__string(profile, looked.why) : NULL;
	if (looked.why && !alive->why)
		return -ENOMEM;
	if (process->ended || !looked.now)
		return 0;
	alive->first_seconds = looked.first_at - session->start;
	alive->seconds = looked.now_at - session->start;
	return alive__fill(profile, alive, looked.first, looked.now);
}

/* Returns the info of a profile's process, or NULL. */
static struct process_info *find_info(const struct session *session, pid_t pid)
{
	size_t id;

	/* A pid can be there twice: the last process has it now. */
	for (id = session->now->nprocesses; id-- > 1;) {
		if (session->now->processes[id].pid == (__u32)pid)
			return targets__infos(session->targets)[id];
	}
	return NULL;
}

/* Loads the source texts of top lines; mode lines takes its functions from them. */
static int complete(struct session *session, const struct mode *mode,
		    const struct profile_options *options, struct profile *profile)
{
	const struct read_permission permission = {targets__may_read, targets__find_text,
						   session->targets};
	const struct filter *filter = session->options.filter;
	const bool by_line = mode->by_line;
	struct profile_process *process;
	struct process_info *info;
	size_t i, top;
	int err = 0;

	for (i = 0; !err && i < profile->nprocesses; i++) {
		process = &profile->processes[i];
		info = process->ended ? NULL : find_info(session, process->pid);
		if (session->looks && process->members < 2)
			err = add_alive(session, profile, process);
		if (!err && info && mode->counts_resident && process->members < 2)
			err = mapped__load(profile, process, info, !options->next);
		if (!err && mode->sums_callers)
			err = callers__add(profile, process);
		if (err)
			break;
		if (by_line)
			filter__drop_files(filter, process);
		top = by_line ? process->nlines : options->sources_of;
		if (info && top)
			err = sources__load(profile, process, info, &permission, top, by_line);
		if (!err && by_line)
			err = filter__apply(filter, profile, process, options->order);
		if (!err && mode->sums_callers)
			err = callers__find_elsewhere(profile, process);
	}
	return err;
}

int session__profile(struct session *session, const struct mode *mode,
		     const struct profile_options *options, struct profile **result)
{
	struct recorded *recorded = find_mode(session, mode);
	bool in_windows = session->windows && mode->can_pause;
	struct build_input input = {
		.host = session->host,
		.mode = mode->name,
		.schema = mode->schema,
		.sums_callers = mode->sums_callers,
		.counts_arenas = mode->counts_arenas && !in_windows,
		.counts_small = mode->counts_small && !in_windows,
		.counts_resident = mode->counts_resident,
		.at_peak = session->options.collector.peak && mode->collector->has_peak,
		.begin = session->start,
		.before = &recorded->before,
		.before_seconds = recorded->before_seconds,
		.totals = &recorded->totals,
		.programs = targets__programs(session->targets),
		.stacks = session->stacks,
		.infos = targets__infos(session->targets),
		.order = options->order,
	};
	struct profile *profile = NULL;
	struct totals swap;
	int err = 0;

	/* Children that have ended are one sum, but for the last ones: at the end all, until then
	 * as many as keep_up() has seen to. */
	if (!options->next) {
		processes__sweep_soon(tracer__record(session->tracer));
		processes__keep_up(tracer__record(session->tracer));
		err = recycler__run(session->recycler, targets__infos(session->targets));
	}
	if (!err && session->looks && options->new_look)
		err = looks__take_round(session->looks);
	if (!err)
		err = take_snapshot(session, recorded);
	if (err)
		return err;
	input.now = session->now;
	err = profile__build(&input, &profile);
	if (!err && in_windows)
		profile->windows = windows__describe(session->windows);
	if (!err && session->cost)
		profile->cost = cost__describe(session->cost);
	if (!err && options->merge && !mode->sums_callers)
		err = profile__merge_programs(profile, options->order);
	if (!err)
		err = complete(session, mode, options, profile);
	if (err) {
		profile__free(profile);
		log_error("out of memory while making the profile");
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
