// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"
#include "cli/options.h"
#include "cli/record.h"
#include "view/top.h"

/* Without a terminal, top prints one report, after this time. */
#define REPORT_SECONDS 10

static int show(const struct options *options, const struct top_options *how)
{
	struct session_options recorded;
	struct loop *loop;
	int err;

	signals__catch();
	err = loop__new(&loop);
	if (err)
		return err;
	recorded = options__session(options, loop);
	err = top__run(&recorded, how);
	loop__free(loop);
	return err;
}

static int run_top(const struct options *options)
{
	const struct top_options how = {
		.duration = options->duration,
		.interval = options->interval ? options->interval : 1,
		.merge = options->merge || options->all,
	};
	struct options record = *options;

	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return show(options, &how);
	record.interval = 0;
	if (!record.duration)
		record.duration = REPORT_SECONDS;
	return record__run(&record);
}

static int parse_top_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	options__init_children(state);
	return 0;
}

static int check_top(const struct options *options)
{
	if (options->argv)
		return usage_error("%s: no such command; to start a program: pymemtop record -- %s",
				   options->argv[0], options->argv[0]);
	if (!options->npids && !options->all)
		return usage_error("which process? Give -p PID or -a; see pymemtop --help");
	return 0;
}

static const struct argp top_argp = {
	.parser = parse_top_option,
	.children = observing_children,
	.args_doc = "-p PID\n-a\nrecord -p PID\nrecord -- COMMAND [ARG...]\ndoctor",
	.doc = "Shows which Python file:line holds the memory of a live, unmodified CPython process. "
	       "The target is never changed: nothing is injected, it is not stopped, and no restart "
	       "is needed.\v"
	       "Examples:\n"
	       "  sudo pymemtop -p 4242\n"
	       "  sudo pymemtop -a\n"
	       "  sudo pymemtop record -p 4242 -d 30\n"
	       "  sudo pymemtop record -p 4242 -d 30 -f folded | flamegraph.pl > mem.svg",
	.help_filter = options__list_commands,
};

const struct command top_command = {
	.name = "top",
	.help = "a table, redrawn every second; also without a command",
	.argp = &top_argp,
	.observes = true,
	.check = check_top,
	.run = run_top,
};
