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
#include "base/utf8.h"
#include "session.h"
#include "target/readers.h"
#include "target/target.h"

/* How often it is looked whether the targets are still there, milliseconds. */
#define CHECK_MS 100

/* What is known of a process besides what is counted, by process id. */
struct process_facts {
	const struct process_facts *parent; /* NULL: the user named the process */
	char cmdline[4096];
	char python[32];
	enum attribution attribution;
	uint64_t rss_at_attach;
	struct reader *reader; /* of its files; NULL: they cannot be read as it would */
	char cwd[4096];	       /* at the attach */
	size_t nfiles;
	struct profile_file *files; /* read already; text NULL where it cannot be */
};

struct session {
	const struct mode *mode;
	struct collector *collector;
	const struct filter *filter;
	struct stack_table *stacks;
	struct readers *readers;
	struct target **targets;
	size_t ntargets;
	struct process_facts **facts; /* by process id; NULL: not met yet */
	struct snapshot *now, *before;
	double start;
	char host[256];

	struct profile profile;
	struct profile_line *lines;
	struct profile_stack *profile_stacks;
	struct location *locations; /* of lines, where they are named by their files' text */
};

static void free_profile(struct session *session)
{
	size_t i;

	for (i = 0; session->profile.processes && i < session->profile.nprocesses; i++)
		free(session->profile.processes[i].files);
	free(session->profile.processes);
	free(session->lines);
	free(session->profile_stacks);
	free(session->locations);
	session->profile.processes = NULL;
	session->lines = NULL;
	session->locations = NULL;
	session->profile_stacks = NULL;
}

static void free_facts(struct process_facts *facts)
{
	size_t i;

	for (i = 0; facts && i < facts->nfiles; i++) {
		source_text__free((struct source_text *)facts->files[i].text);
		def_ranges__free((struct def_ranges *)facts->files[i].functions);
	}
	if (facts)
		free(facts->files);
	free(facts);
}

void session__free(struct session *session)
{
	size_t i;

	if (!session)
		return;
	collector__close(session->collector);
	free_profile(session);
	snapshot__free(session->now);
	snapshot__free(session->before);
	for (i = 0; session->facts && i < MAX_PROCESSES; i++)
		free_facts(session->facts[i]);
	free(session->facts);
	for (i = 0; i < session->ntargets; i++)
		target__free(session->targets[i]);
	free(session->targets);
	readers__free(session->readers);
	stack_table__free(session->stacks);
	free(session);
}

/* Its files are read with its own rights: who may not take them on, shows no sources. */
static int find_reader(struct session *session, struct process_facts *facts, pid_t pid)
{
	int err = readers__find(session->readers, pid, &facts->reader);

	if (err == -ENOMEM)
		return err;
	if (err)
		log_error(
			"source lines of process %d are left out: its files cannot be read with its "
			"rights: %s",
			pid, strerror(-err));
	/* Where it is not known, relative names are found nowhere. */
	proc_cwd(pid, facts->cwd, sizeof(facts->cwd));
	return 0;
}

static int note_target(struct session *session, const struct target *target, size_t id)
{
	struct process_facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return -ENOMEM;
	session->facts[id] = facts;
	strcpy(facts->cmdline, target->cmdline);
	strcpy(facts->python, target->version);
	facts->attribution = target->attribution;
	facts->rss_at_attach = proc_rss(target->pid);
	return find_reader(session, facts, target->pid);
}

static int find_targets(struct session *session, const struct session_options *options,
			struct collector_options *collector)
{
	const struct target_spec spec = {
		.attribution = options->attribution,
		.lines = options->mode->by_line,
		.before_main = options->before_main,
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
	session->facts = calloc(MAX_PROCESSES, sizeof(*session->facts));
	if (!session->stacks || !session->readers || !session->facts)
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

/* A child that came since: facts as its parent's, but for what is its own. */
static void note_child(struct session *session, const struct process_counters *counters, size_t id)
{
	const struct process_facts *parent =
		counters->parent < MAX_PROCESSES ? session->facts[counters->parent] : NULL;
	struct process_facts *facts = malloc(sizeof(*facts));
	char cmdline[sizeof(facts->cmdline)];

	if (!facts || !parent) {
		free(facts);
		return;
	}
	*facts = *parent;
	facts->parent = parent;
	facts->nfiles = 0;
	facts->files = NULL;
	if (!proc_cmdline(counters->pid, cmdline, sizeof(cmdline)) && cmdline[0])
		strcpy(facts->cmdline, cmdline);
	facts->rss_at_attach = proc_rss(counters->pid);
	session->facts[id] = facts;
}

static void note_children(struct session *session)
{
	const struct process_counters *counts;
	size_t n, id;

	counts = collector__processes(session->collector, &n);
	for (id = 1; id < n; id++) {
		if (!session->facts[id] && counts[id].pid)
			note_child(session, &counts[id], id);
	}
}

static int take_snapshot(struct session *session)
{
	struct snapshot *snapshot;
	int err = collector__snapshot(session->collector, &snapshot);

	if (err) {
		log_error("the counts cannot be read: %s", strerror(-err));
		return err;
	}
	note_children(session);
	snapshot__free(session->now);
	session->now = snapshot;
	return 0;
}

bool session__is_alive(const struct session *session)
{
	const struct process_counters *counts;
	size_t n, id;

	counts = collector__processes(session->collector, &n);
	for (id = 1; id < n; id++) {
		if (counts[id].pid && counts[id].state == PROCESS_RUNNING)
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

static void describe_process(struct session *session, size_t id, struct profile_process *process)
{
	const struct process_counters *counters = &session->now->processes[id];
	const struct process_facts *facts = session->facts[id];

	process->pid = counters->pid;
	process->parent = counters->parent ? session->now->processes[counters->parent].pid : 0;
	process->state = counters->state;
	memcpy(process->comm, counters->comm, sizeof(process->comm));
	process->comm[sizeof(process->comm) - 1] = '\0';
	utf8_keep_ascii(process->comm);
	memcpy(process->lost, counters->lost, sizeof(process->lost));
	process->rss_bytes = counters->state == PROCESS_RUNNING ? proc_rss(counters->pid) : 0;
	if (!facts)
		return;
	memcpy(process->cmdline, facts->cmdline, sizeof(process->cmdline));
	memcpy(process->python, facts->python, sizeof(process->python));
	process->attribution = attribution__name(facts->attribution);
	process->rss_at_attach_bytes = facts->rss_at_attach;
}

/* After the lines: what they and the past do not explain. */
static void add_up_resident(const struct process_counters *counters,
			    struct profile_process *process)
{
	process->rss_anon_bytes = counters->anon_bytes;
	process->before_attach_bytes = counters->before_bytes;
	process->unattributed_bytes =
		counters->anon_bytes - counters->before_bytes - process->total.outstanding_bytes;
}

/* A child that executed something else before it allocated is nobody's news. */
static bool is_shown(const struct profile_process *process)
{
	return !process->parent || process->nstacks || process->state == PROCESS_RUNNING;
}

static const struct profile_file *known_file(const struct process_facts *facts, const char *file)
{
	size_t i;

	for (i = 0; i < facts->nfiles; i++) {
		if (facts->files[i].file == file)
			return &facts->files[i];
	}
	return NULL;
}

/*
 * Whether the process that named a file still has, or had to its end, the rights that its
 * reader has: one that gave up some, or executed something else, shall not read with them.
 * The programs tell of its end before its id can be another's.
 */
static bool may_read(const struct session *session, size_t id)
{
	const struct process_facts *facts = session->facts[id];
	const volatile struct process_counters *counters;
	bool fits;
	size_t n;

	if (!facts->reader)
		return false;
	counters = &collector__processes(session->collector, &n)[id];
	fits = counters->state == PROCESS_RUNNING && reader__fits(facts->reader, counters->pid);
	if (counters->state == PROCESS_RUNNING)
		return fits;
	/* Which files a child saw when it ended is not known. */
	return counters->state == PROCESS_EXITED && !facts->parent &&
	       reader__is_of(facts->reader, counters->uid, counters->gid, counters->capabilities);
}

/* A file as that process sees it, read once; its text is NULL if it cannot be. */
static const struct profile_file *find_file(struct session *session, size_t id, const char *file)
{
	struct process_facts *facts = session->facts[id];
	const struct profile_file *known = known_file(facts, file);
	struct profile_file *more;

	if (known)
		return known;
	more = reallocarray(facts->files, facts->nfiles + 1, sizeof(*more));
	if (!more)
		return NULL;
	facts->files = more;
	more += facts->nfiles++;
	more->file = file;
	more->text =
		may_read(session, id) ? source_text__new(facts->reader, facts->cwd, file) : NULL;
	more->functions = more->text ? def_ranges__new(more->text) : NULL;
	return more;
}

/* Of a child that has ended, only what was read for its parent, as that ran it too: the
 * child alone could name what it cannot read itself. */
static const struct profile_file *find_text(struct session *session, size_t id, const char *file)
{
	const struct profile_file *found = find_file(session, id, file);
	const struct process_facts *parent;

	for (parent = session->facts[id]->parent; parent && !(found && found->text);
	     parent = parent->parent)
		found = known_file(parent, file);
	return found && found->text ? found : NULL;
}

/* The files of the first so many lines. */
static void load_sources(struct session *session, size_t id, struct profile_process *process,
			 size_t top)
{
	const struct profile_file *found;
	const char *file;
	size_t i, k;

	if (top > process->nlines)
		top = process->nlines;
	process->files = calloc(top + 1, sizeof(*process->files));
	for (i = 0; process->files && i < top; i++) {
		file = process->lines[i].location->file;
		for (k = 0; k < process->nfiles && process->files[k].file != file; k++)
			;
		/* "<string>", "[native]" */
		if (k < process->nfiles || !file[0] || strchr("<[", file[0]))
			continue;
		found = find_text(session, id, file);
		if (found)
			process->files[process->nfiles++] = *found;
	}
}

/* Lines are of functions by the text of their files, and of those the selected ones stay. */
static void select_lines(struct session *session, size_t id, enum line_order order,
			 struct profile_process *process)
{
	size_t first = process->lines - session->lines;

	filter__drop_files(session->filter, process);
	if (session->facts[id])
		load_sources(session, id, process, process->nlines);
	filter__apply(session->filter, order, process, session->locations + first);
}

static int build_profile(struct session *session, const struct profile_options *options)
{
	struct profile *profile = &session->profile;
	struct profile_process *process;
	struct aggregate aggregate = {0};
	size_t id, lines = 0, stacks = 0;
	int err;

	free_profile(session);
	err = aggregate__init(&aggregate, session->stacks, session->now, session->before,
			      session->mode->by_line);
	session->lines =
		calloc(stack_table__line_count(session->stacks) + 1, sizeof(*session->lines));
	session->locations =
		calloc(stack_table__line_count(session->stacks) + 1, sizeof(*session->locations));
	session->profile_stacks =
		calloc(stack_table__count(session->stacks) + 1, sizeof(*session->profile_stacks));
	profile->processes = calloc(session->now->nprocesses, sizeof(*profile->processes));
	if (!err && (!session->lines || !session->locations || !session->profile_stacks ||
		     !profile->processes))
		err = -ENOMEM;
	profile->nprocesses = 0;
	for (id = 1; !err && id < session->now->nprocesses; id++) {
		if (!session->now->processes[id].pid)
			continue;
		process = &profile->processes[profile->nprocesses];
		memset(process, 0, sizeof(*process));
		process->lines = session->lines + lines;
		process->stacks = session->profile_stacks + stacks;
		describe_process(session, id, process);
		aggregate__fill(&aggregate, session->stacks, id, options->order, process);
		lines += process->nlines;
		stacks += process->nstacks;
		if (session->mode->by_line)
			select_lines(session, id, options->order, process);
		if (session->mode->counts_resident)
			add_up_resident(&session->now->processes[id], process);
		if (!is_shown(process)) {
			free(process->files);
			continue;
		}
		profile->nprocesses++;
		if (options->sources_of && session->facts[id] && !session->mode->by_line)
			load_sources(session, id, process, options->sources_of);
	}
	aggregate__free(&aggregate);
	return err;
}

int session__profile(struct session *session, const struct profile_options *options,
		     const struct profile **result)
{
	struct profile *profile = &session->profile;
	int err = take_snapshot(session);

	if (err)
		return err;
	err = build_profile(session, options);
	if (err) {
		log_error("no memory for the profile");
		return err;
	}
	profile->host = session->host;
	profile->mode = session->mode->name;
	profile->schema = session->mode->schema;
	profile->counts_resident = session->mode->counts_resident;
	profile->time = time(NULL);
	profile->map_bytes = session->now->map_bytes;
	profile->duration_seconds = session->now->seconds;
	profile->interval_seconds =
		session->now->seconds - (session->before ? session->before->seconds : 0);
	if (options->next) {
		snapshot__free(session->before);
		session->before = session->now;
		session->now = NULL;
	}
	*result = profile;
	return 0;
}
