// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <argp.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "base/signals.h"
#include "cli/options.h"
#include "cli/record.h"
#include "cli/rendering.h"
#include "session/session.h"
#include "target/launch.h"

/* As pytest and others have 1 for failures of their own. */
#define EXIT_EXCEEDED 3

struct recording {
	const struct options *options;
	struct output *output;
	struct launch *launch; /* NULL: the processes already run */
	struct loop *loop;
	struct session *session;
	bool progress; /* stderr is a terminal */
	bool fails;    /* a limit is exceeded */
};

static int start(struct recording *record)
{
	const struct options *options = record->options;
	struct session_options session = options__session(options, record->loop);
	pid_t pid;
	int err;

	if (options->argv) {
		err = launch__new(options->argv, &record->launch);
		if (err)
			return err;
		pid = launch__pid(record->launch);
		session.pids = &pid;
		session.npids = 1;
		session.before_main = true;
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

/* Logs what was lost, for formats that do not show it. */
static void say_lost(const struct profile *profile)
{
	uint64_t lost[LOST_CAUSES] = {0};
	size_t i;
	int cause;

	for (i = 0; i < profile->nprocesses; i++) {
		for (cause = 0; cause < LOST_CAUSES; cause++)
			lost[cause] += profile->processes[i].lost[cause];
	}
	for (cause = 0; cause < LOST_CAUSES; cause++) {
		if (lost[cause])
			log_error("lost %" PRIu64 " %s: %s", lost[cause], lost__name(cause),
				  lost__help(cause));
	}
}

static int report_mode(struct recording *record, const struct mode *mode, bool is_last)
{
	const struct options *options = record->options;
	struct profile_options how = {
		.order = BY_CHANGE,
		.sources_of = options->renderer->wants_sources ? options->render.top : 0,
		.next = options->interval > 0,
		.merge = options->merge,
		.new_look = true,
	};
	struct profile *profile = NULL;
	int err = session__profile(record->session, mode, &how, &profile);

	clear_progress(record);
	if (!err) {
		err = options->renderer->render(profile, &options->render,
						output__stream(record->output));
		/* output__flush() says what is wrong with the stream itself. */
		if (err && !ferror(output__stream(record->output)))
			log_error("out of memory while writing the output");
		else
			err = output__flush(record->output);
		if (!err && !options->renderer->shows_lost)
			say_lost(profile);
		if (!err && is_last)
			record->fails |=
				limits__are_exceeded(options->limits, options->nlimits, profile);
	}
	profile__free(profile);
	return err;
}

static int report(struct recording *record, bool is_last)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < record->options->nmodes; i++)
		err = report_mode(record, record->options->modes[i], is_last);
	return err;
}

/* Records until the duration is over, the targets have ended, or a signal comes. */
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
		if (signals__caught() || !session__is_alive(record->session) || elapsed >= end)
			return report(record, true);
		if (elapsed < next)
			continue;
		err = report(record, false);
		if (err)
			return err;
		while (next <= elapsed)
			next += interval;
		/* The last report is the one at the end: no short interval right before it. */
		if (next > end - interval / 100)
			next = INFINITY;
	}
}

static void finish(struct recording *record)
{
	clear_progress(record);
	session__free(record->session);
	loop__free(record->loop);
	output__free(record->output);
}

int record__run(const struct options *options)
{
	struct recording record = {.options = options};
	int err, status = 0;

	/* First: a signal must not leave behind what output__new() creates. */
	signals__catch();
	err = output__new(options->output, &record.output);
	if (err)
		return err;
	/* A program of ours writes to the same terminal. */
	record.progress = isatty(STDERR_FILENO) && !options->argv;
	err = loop__new(&record.loop);
	if (!err)
		err = start(&record);
	if (!err)
		err = record_all(&record);
	if (!err)
		err = output__commit(record.output);
	finish(&record);
	if (record.launch) {
		/* Ctrl-C has reached the program as well. */
		if (signals__caught() && signals__caught() != SIGINT)
			launch__signal(record.launch, signals__caught());
		if (record.session)
			status = launch__wait(record.launch);
		launch__free(record.launch);
	}
	if (!err && !status && record.fails)
		status = EXIT_EXCEEDED;
	return err ? err : status;
}

#define OPTION_TYPES   1024
#define OPTION_FAIL_IF 1025

static const struct argp_option record_options[] = {
	{"types", OPTION_TYPES, NULL, 0,
	 "Tell which objects are alive, too, by type: what has grown since the attach, whatever "
	 "line made it",
	 1},
	{"fail-if", OPTION_FAIL_IF, "LIMIT", 0,
	 "At the end, exit with status 3 and say which lines did it, if a process has more: 'held > "
	 "100MiB', 'growth > 1MiB/min', 'peak > 2GiB', 'rss > 4GiB', 'lost > 0'; can be repeated",
	 1},
	{0},
};

/* --fail-if: a peak is only known if it is asked for. */
static int add_limit(struct options *options, const char *text)
{
	if (options->nlimits == MOST_LIMITS)
		return usage_error("--fail-if: at most %d limits", MOST_LIMITS);
	if (limit__parse(text, &options->limits[options->nlimits]))
		return usage_error("--fail-if '%s': give a limit like 'held > 100MiB' or 'growth > "
				   "1MiB/min'; held, growth, peak, rss and lost have one",
				   text);
	if (options->limits[options->nlimits++].what == LIMITED_PEAK)
		options->collector.peak = true;
	return 0;
}

static int parse_record_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_FAIL_IF:
		return add_limit(options, arg);
	case OPTION_TYPES:
		options->types = true;
		return 0;
	case ARGP_KEY_INIT:
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child record_children[] = {
	{&general_argp, 0, NULL, 0},
	{&observing_argp, 0, NULL, 0},
	{&rendering_argp, 0, NULL, 0},
	{&own_code_argp, 0, NULL, 0},
	{0},
};

static int check_record(const struct options *options)
{
	if (!options->argv && !options->npids && !options->all)
		return usage_error(
			"which process? Give -p PID, -a or -- COMMAND; see pymemtop --help");
	if (!options->renderer)
		return usage_error("--format %s is only for inspect", options->format);
	if (options->interval && !options->renderer->repeats)
		return usage_error(
			"--interval goes with formats that repeat, as report and json: %s would "
			"be added up",
			options->renderer->name);
	if (options->nmodes > 1 && !options->renderer->repeats)
		return usage_error("--format %s goes with one mode", options->renderer->name);
	if (options->renderer->by_line && !options->modes[0]->by_line)
		return usage_error("--format %s goes with --mode lines", options->renderer->name);
	return rendering__check(options);
}

static const struct argp record_argp = {
	.options = record_options,
	.parser = parse_record_option,
	.children = record_children,
	.args_doc = "-p PID\n-- COMMAND [ARG...]",
	.doc = "Records processes, or a program that it starts, and writes what holds their memory.\v"
	       "Without -d it records until Ctrl-C, or until the processes have ended. A COMMAND is "
	       "recorded from its first Python line on, and its exit status is passed on.\n\n"
	       "Examples:\n"
	       "  sudo pymemtop record -p 4242 -d 30 -i 5\n"
	       "  sudo pymemtop record -p 4242 -d 30 -f json -o mem.json\n"
	       "  sudo pymemtop record -f folded -o out.folded -- python3 app.py --own-flags",
};

const struct command record_command = {
	.name = "record",
	.help = "a report, or a file for other tools: pymemtop record --help",
	.argp = &record_argp,
	.observes = true,
	.check = check_record,
	.run = record__run,
};
