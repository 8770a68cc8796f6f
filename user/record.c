// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "launch.h"
#include "output.h"
#include "record.h"
#include "say.h"
#include "session.h"

struct recording {
	const struct options *options;
	struct output *output;
	struct launch *launch;	/* NULL: the processes run already */
	struct session *session;
	bool progress;		/* stderr is a terminal */
};

static int start(struct recording *record)
{
	const struct options *options = record->options;
	struct session_options session = {
		.type = options->type,
		.source = options->source,
		.attribution = options->attribution,
		.pids = options->pids,
		.npids = options->npids,
		.all = options->all,
		.selection = &options->selection,
	};
	pid_t pid;
	int err;

	if (options->argv) {
		err = launch__new(options->argv, &record->launch);
		if (err)
			return err;
		pid = launch__pid(record->launch);
		session.pids = &pid;
		session.npids = 1;
		session.fresh = true;
	}
	err = session__new(&session, &record->session);
	if (err)
		return err;
	if (record->launch)
		launch__release(record->launch);
	return 0;
}

static void show_progress(const struct recording *record)
{
	double duration = record->options->duration;

	if (!record->progress)
		return;
	fprintf(stderr, "\rpymemtop: recording, %.0f s", session__elapsed(record->session));
	if (duration)
		fprintf(stderr, " of %.0f s", duration);
	fputs("; Ctrl-C ends it ", stderr);
}

static void clear_progress(const struct recording *record)
{
	if (record->progress)
		fputs("\r\033[K", stderr);
}

/* For formats that have no room for it. */
static void say_lost(const struct profile *profile)
{
	uint64_t lost[LOST_CAUSES] = { 0 };
	size_t i;
	int cause;

	for (i = 0; i < profile->nprocesses; i++) {
		for (cause = 0; cause < LOST_CAUSES; cause++)
			lost[cause] += profile->processes[i].lost[cause];
	}
	for (cause = 0; cause < LOST_CAUSES; cause++) {
		if (lost[cause])
			say_error("lost are %" PRIu64 " %s: %s", lost[cause], lost__name(cause),
				  lost__help(cause));
	}
}

static int report(struct recording *record)
{
	const struct options *options = record->options;
	struct profile_options how = {
		.order = BY_INCREMENT,
		.sources_of = options->renderer->wants_sources ? options->render.top : 0,
		.next = options->interval > 0,
	};
	const struct profile *profile;
	int err = session__profile(record->session, &how, &profile);

	clear_progress(record);
	if (!err) {
		err = options->renderer->render(profile, &options->render,
						output__stream(record->output));
		/* What the stream did wrong, it says itself. */
		if (err && !ferror(output__stream(record->output)))
			say_error("no memory for the output");
		else
			err = output__flush(record->output);
		if (!err && !options->renderer->shows_lost)
			say_lost(profile);
	}
	return err;
}

/* Records until the end of the duration, of the targets, or a signal. */
static int record_all(struct recording *record)
{
	double end = record->options->duration ? record->options->duration : INFINITY;
	double interval = record->options->interval ? record->options->interval : INFINITY;
	double next = interval, elapsed, until;
	int err;

	for (;;) {
		show_progress(record);
		elapsed = session__elapsed(record->session);
		until = fmin(fmin(next, end), elapsed + 1);
		err = session__wait(record->session, fmax(until - elapsed, 0));
		if (err)
			return err;
		elapsed = session__elapsed(record->session);
		if (interrupt__signal() || !session__is_alive(record->session) || elapsed >= end)
			return report(record);
		if (elapsed < next)
			continue;
		err = report(record);
		if (err)
			return err;
		while (next <= elapsed)
			next += interval;
		/* The last one is the one at the end, not one of no length before it. */
		if (next > end - interval / 100)
			next = INFINITY;
	}
}

static void finish(struct recording *record)
{
	clear_progress(record);
	session__free(record->session);
	output__free(record->output);
}

int record__run(const struct options *options)
{
	struct recording record = { .options = options };
	int err, status = 0;

	/* First: what the output begins with, a signal must not leave behind. */
	interrupt__catch();
	err = output__new(options->output, &record.output);
	if (err)
		return EXIT_FAILURE;
	record.progress = isatty(STDERR_FILENO);
	err = start(&record);
	if (!err)
		err = record_all(&record);
	if (!err)
		err = output__commit(record.output);
	finish(&record);
	if (record.launch) {
		/* Ctrl-C reached it as well. */
		if (interrupt__signal() && interrupt__signal() != SIGINT)
			launch__signal(record.launch, interrupt__signal());
		if (record.session)
			status = launch__wait(record.launch);
		launch__free(record.launch);
	}
	return err ? EXIT_FAILURE : status;
}
