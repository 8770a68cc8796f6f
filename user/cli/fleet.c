// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/signals.h"
#include "cli/options.h"
#include "cli/token.h"
#include "serve/fleet_report.h"

/* Without --since. */
#define DEFAULT_SECONDS (6 * 3600.0)
#define LEAST_SECONDS	60.0
#define MOST_SECONDS	(366 * 86400.0)

enum {
	OPTION_PROMETHEUS = 1200,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_PROGRAM,
	OPTION_JSON,
	OPTION_SHOW_QUERY,
	OPTION_TOKEN_FILE,
	OPTION_CA,
	OPTION_BEFORE,
	OPTION_AFTER,
	OPTION_FLEET_TOP,
};

/* "90", "90s", "15m", "6h", "2d". 0 or -EINVAL. */
static int parse_span(const char *text, double *seconds)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'\0', 1}};
	char *end;
	size_t i;

	*seconds = strtod(text, &end);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == text || *end != units[i].unit || (*end && end[1]))
			continue;
		*seconds *= units[i].seconds;
		return *seconds > 0 && *seconds <= MOST_SECONDS ? 0 : -EINVAL;
	}
	return -EINVAL;
}

/* So long ago, or a time of ISO 8601, in UTC. Seconds since 1970. 0 or -EINVAL. */
static int parse_time(const char *text, double *when)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	struct tm tm;
	const char *end;
	size_t i;

	if (!parse_span(text, when)) {
		*when = clock_seconds(CLOCK_REALTIME) - *when;
		return 0;
	}
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(text, formats[i], &tm);
		if (end && !*end) {
			*when = (double)timegm(&tm);
			return 0;
		}
	}
	return -EINVAL;
}

static int report_once(const struct options *options, const struct fleet_options *asked)
{
	struct fleet fleet;
	int err = fleet__ask(asked, &fleet);

	if (err)
		return err;
	err = options->is_json ? fleet_report__json(&fleet, stdout)
			       : fleet_report__text(&fleet, stdout);
	fleet__free(&fleet);
	return err;
}

static int report_changes(const struct options *options, const struct fleet_options *asked)
{
	struct fleet_changes changes;
	int err = fleet__compare(asked, options->before, options->after, &changes);

	if (err)
		return err;
	err = options->is_json ? fleet_report__changes_json(&changes, asked->top, stdout)
			       : fleet_report__changes_text(&changes, asked->top, stdout);
	fleet_changes__free(&changes);
	return err;
}

/* Asks again and again; on a terminal, over what was there. */
static int report_repeatedly(const struct options *options, struct fleet_options *asked)
{
	struct loop *loop;
	int err;

	signals__catch();
	err = loop__new(&loop);
	while (!err && !signals__caught()) {
		asked->end = clock_seconds(CLOCK_REALTIME);
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		err = report_once(options, asked);
		fputc('\n', stdout);
		fflush(stdout);
		if (!err)
			loop__wait(loop, options->interval);
	}
	loop__free(loop);
	return err;
}

static int run_fleet(const struct options *options)
{
	struct fleet_options asked = {
		.engine =
			{
				.url = options->engine,
				.fetch = {.ca = options->ca},
				.shows = options->show_query ? stderr : NULL,
			},
		.end = options->until ? options->until : clock_seconds(CLOCK_REALTIME),
		.seconds = options->since,
		.program = options->program,
		.top = options->render.top,
	};
	auto_free char *token = NULL;
	int err = options->token_file ? token__read(options->token_file, &token) : 0;

	asked.engine.fetch.token = token;
	if (!err && options->nfiles)
		err = report_changes(options, &asked);
	else if (!err)
		err = options->interval ? report_repeatedly(options, &asked)
					: report_once(options, &asked);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = -EIO;
	if (token)
		explicit_bzero(token, strlen(token));
	return err;
}

static int parse_when(const char *option, const char *text, double *when)
{
	return parse_time(text, when)
		       ? usage_error("%s %s: give a time like 2026-11-26T14:00, or so long ago: 2h",
				     option, text)
		       : 0;
}

static int parse_fleet_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_PROMETHEUS:
		options->engine = arg;
		return 0;
	case OPTION_SINCE:
		if (parse_span(arg, &options->since) || options->since < LEAST_SECONDS)
			return usage_error("--since %s: give a time from 1m on, as 6h or 2d", arg);
		return 0;
	case OPTION_PROGRAM:
		options->program = arg;
		return 0;
	case OPTION_JSON:
		options->is_json = true;
		return 0;
	case OPTION_SHOW_QUERY:
		options->show_query = true;
		return 0;
	case OPTION_TOKEN_FILE:
		options->token_file = arg;
		return 0;
	case OPTION_CA:
		options->ca = arg;
		return 0;
	case OPTION_BEFORE:
		return parse_when("--before", arg, &options->before);
	case OPTION_UNTIL:
		return parse_when("--until", arg, &options->until);
	case OPTION_AFTER:
		return parse_when("--after", arg, &options->after);
	case OPTION_FLEET_TOP:
		return options__parse_number("--top", arg, 1, 1000, &options->render.top);
	case 'i':
		return options__parse_option(key, arg, state);
	case ARGP_KEY_ARG:
		if (options->nfiles || strcmp(arg, "diff"))
			return usage_error("%s: fleet has no such part; there is fleet diff", arg);
		options->files[options->nfiles++] = arg;
		return 0;
	case ARGP_KEY_INIT:
		options->since = DEFAULT_SECONDS;
		options->render.top = 10;
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int check_fleet(const struct options *options)
{
	if (!options->engine)
		return usage_error(
			"which engine? Give --prometheus URL, as http://prometheus:9090");
	if (strncmp(options->engine, "http://", 7) && strncmp(options->engine, "https://", 8))
		return usage_error("--prometheus %s: an address begins with http:// or https://",
				   options->engine);
	if (options->nfiles && (!options->before || !options->after))
		return usage_error("fleet diff compares two times: give --before and --after");
	if (!options->nfiles && (options->before || options->after))
		return usage_error("--before and --after are for fleet diff");
	return 0;
}

static const struct argp_option fleet_options[] = {
	{"prometheus", OPTION_PROMETHEUS, "URL", 0,
	 "The engine: Prometheus, or what answers its API (Thanos, VictoriaMetrics, Mimir)", 1},
	{"since", OPTION_SINCE, "TIME", 0, "How far to look back: 90m, 6h, 2d (6h)", 1},
	{"until", OPTION_UNTIL, "TIME", 0,
	 "The end of that time: 2026-11-26T14:00, or 2h ago (now)", 1},
	{"program", OPTION_PROGRAM, "REGEX", 0, "Only these programs", 1},
	{"top", OPTION_FLEET_TOP, "N", 0, "Lines (10)", 1},
	{"interval", 'i', "SECONDS", 0, "Ask again, every so many seconds", 1},
	{"before", OPTION_BEFORE, "TIME", 0,
	 "diff: what to compare with: 2026-11-26T14:00, or 2h ago", 1},
	{"after", OPTION_AFTER, "TIME", 0, "diff: what to compare", 1},
	{"json", OPTION_JSON, NULL, 0, "Write json", 2},
	{"show-query", OPTION_SHOW_QUERY, NULL, 0, "Print the queries, too, to stderr", 2},
	{"token-file", OPTION_TOKEN_FILE, "FILE", 0, "Send the token in this file as a bearer", 3},
	{"ca", OPTION_CA, "FILE", 0, "Trust these certificates (PEM)", 3},
	{0},
};

static const struct argp_child fleet_children[] = {
	{&general_argp, 0, NULL, 0},
	{0},
};

static const struct argp fleet_argp = {
	.options = fleet_options,
	.parser = parse_fleet_option,
	.children = fleet_children,
	.args_doc = "--prometheus URL\ndiff --prometheus URL --before TIME --after TIME",
	.doc = "Asks an engine that scrapes `pymemtop serve` on many hosts which lines of which programs "
	       "grow there, and tells leaks from what only fills up, comes and goes, or is one host's.\v"
	       "It needs no rights here. A leak grows steadily on at least half of the hosts that have the "
	       "line, each host's restarts aside.\n\n"
	       "Examples:\n"
	       "  pymemtop fleet --prometheus http://prometheus:9090 --since 24h\n"
	       "  pymemtop fleet diff --prometheus http://prometheus:9090 --before 2d --after 1h",
};

const struct command fleet_command = {
	.name = "fleet",
	.help = "which lines leak on many hosts, asked of Prometheus: pymemtop fleet --help",
	.argp = &fleet_argp,
	.check = check_fleet,
	.run = run_fleet,
};
