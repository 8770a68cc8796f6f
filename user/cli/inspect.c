// SPDX-License-Identifier: BSD-2-Clause
/* Tells which objects are alive in processes, by type, from their memory alone: needs no BPF. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/output.h"
#include "base/signals.h"
#include "cli/options.h"
#include "inspect/inspected.h"
#include "render/objects.h"
#include "target/images.h"
#include "target/target.h"

/* What is inspected: processes, or one core file. */
struct inspection {
	const struct options *options;
	struct inspected *all;
	size_t n;
	struct readers *readers;
	int failed; /* -errno: one has ended */
};

static int print_all(const struct inspection *inspection, struct output *output)
{
	const struct options *options = inspection->options;
	FILE *out = output__stream(output);
	int err;

	err = objects_renderer__choose(options->format, options->output)
		      ->render(inspection->all, inspection->n, options->render.top, out);
	/* output__flush() says what is wrong with the stream itself. */
	return err && !ferror(out) ? err : output__flush(output);
}

/* Waits for as many seconds, or until a signal comes, as Ctrl-C: then the second look is due. */
static void pause_for(double seconds)
{
	struct pollfd signal = {.fd = signals__fd(), .events = POLLIN};
	double end = clock_seconds(CLOCK_MONOTONIC) + seconds, left = seconds;

	while (!signals__caught() && left > 0) {
		poll(&signal, 1, left < 1000 ? left * 1000 + 1 : 1000000);
		left = end - clock_seconds(CLOCK_MONOTONIC);
	}
}

/* Looks at all of them. One that has ended is left out from then on, and makes the exit status
 * that of a failure. */
static int look(struct inspection *inspection)
{
	const struct options *options = inspection->options;
	const struct census_options how = {
		.holders = !options->no_holders && !options->type,
		.type = options->type,
	};
	struct inspected *one;
	int err;

	for (one = inspection->all; one < inspection->all + inspection->n; one++) {
		err = one->target ? inspected__look(one, &how) : 0;
		if (err == -EINTR || err == -ENOMEM)
			return err;
		if (err) {
			inspection->failed = err;
			inspected__clear(one);
		}
	}
	return 0;
}

static int open_all(struct inspection *inspection)
{
	const struct options *options = inspection->options;
	int err = 0;
	size_t i;

	if (options->core)
		return inspected__open_core(&inspection->all[0], options->core,
					    options->root ?: "");
	for (i = 0; !err && i < options->npids; i++)
		err = inspected__open_process(&inspection->all[i], options->pids[i],
					      options->images, inspection->readers);
	return err;
}

static int inspect_all(struct inspection *inspection, struct output *output)
{
	int err = open_all(inspection);

	if (!err)
		err = look(inspection);
	if (!err && inspection->options->interval) {
		pause_for(inspection->options->interval);
		err = look(inspection);
	}
	if (!err)
		err = print_all(inspection, output);
	return err ? err : output__commit(output);
}

static int inspect_run(const struct options *options)
{
	struct inspection inspection = {options, .n = options->core ? 1 : options->npids};
	struct output *output;
	size_t i;
	int err;

	inspection.all = calloc(inspection.n, sizeof(*inspection.all));
	inspection.readers = readers__new();
	if (!inspection.all || !inspection.readers) {
		free(inspection.all);
		readers__free(inspection.readers);
		return -ENOMEM;
	}
	signals__catch();
	err = output__new(options->output, &output);
	if (!err) {
		err = inspect_all(&inspection, output);
		output__free(output);
	}
	for (i = 0; i < inspection.n; i++)
		inspected__clear(&inspection.all[i]);
	free(inspection.all);
	readers__free(inspection.readers);
	return err ? err : inspection.failed;
}

#define OPTION_TOP	  1024
#define OPTION_NO_HOLDERS 1025
#define OPTION_TYPE	  1026
#define OPTION_CORE	  1027
#define OPTION_ROOT	  1028

static const struct argp_option inspect_options[] = {
	{"pid", 'p', "PID[,PID...]", 0, "Inspect these processes; can be repeated", 1},
	{"core", OPTION_CORE, "FILE", 0,
	 "Inspect a core file, by gcore or of a crash, in place of a process", 1},
	{"root", OPTION_ROOT, "DIR", 0,
	 "Where the files are that the core's process had mapped, if not here", 1},
	{"interval", 'i', "SECONDS", 0,
	 "Look twice, this far apart or until Ctrl-C, and show what has changed", 1},
	{"format", 'f', "report|json|folded|svg|dot", 0,
	 "folded is for flamegraph.pl, svg for the browser, "
	 "dot for Graphviz (report)",
	 2},
	{"output", 'o', "FILE", 0,
	 "Write there, whole or not at all; without -f, the name's ending tells the format (stdout)",
	 2},
	{"type", OPTION_TYPE, "TYPE", 0,
	 "Objects of this type: what leads to them, what they keep alive, and some of them with their "
	 "attributes",
	 1},
	{"no-holders", OPTION_NO_HOLDERS, NULL, 0,
	 "Only types: takes a third of the time, and of the memory", 1},
	{"top", OPTION_TOP, "N", 0, "report: types and holders of each process (20)", 2},
	{0},
};

static int parse_format(struct options *options, const char *text)
{
	options->format = text;
	return objects_renderer__find(text)
		       ? 0
		       : usage_error("--format %s: give report, json, folded, svg or dot", text);
}

static int parse_inspect_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
	case 'i':
		return options__parse_option(key, arg, state);
	case 'f':
		return parse_format(options, arg);
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_TYPE:
		options->type = arg;
		return 0;
	case OPTION_CORE:
		options->core = arg;
		return 0;
	case OPTION_ROOT:
		options->root = arg;
		return 0;
	case OPTION_NO_HOLDERS:
		options->no_holders = true;
		return 0;
	case OPTION_TOP:
		return options__parse_number("--top", arg, 1, INT_MAX, &options->render.top);
	case ARGP_KEY_INIT:
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int check_inspect(const struct options *options)
{
	if (options->core && options->npids)
		return usage_error("--core FILE is in place of -p PID");
	if (options->core && options->interval)
		return usage_error("-i SECONDS: a core file does not change");
	if (options->root && !options->core)
		return usage_error("--root DIR goes with --core FILE");
	return options->npids || options->core
		       ? 0
		       : usage_error("which process? Give -p PID; see pymemtop inspect --help");
}

static const struct argp inspect_argp = {
	.options = inspect_options,
	.parser = parse_inspect_option,
	.children = general_children,
	.args_doc = "-p PID\n--core FILE",
	.doc = "Tells which objects are alive in a process now, by type, and what holds them, from its "
	       "memory alone: it needs no probe and no preparation, and stops nothing.\v"
	       "It takes the right to read the process's memory: root's, or CAP_SYS_PTRACE, or the "
	       "process's own user where kernel.yama.ptrace_scope is 0. Sizes are those of "
	       "sys.getsizeof().\n\n"
	       "Examples:\n"
	       "  sudo pymemtop inspect -p 4242\n"
	       "  sudo pymemtop inspect -p 4242 -i 30\n"
	       "  sudo pymemtop inspect -p 4242 --type Session\n"
	       "  pymemtop inspect --core core.4242\n"
	       "  sudo pymemtop inspect -p 4242 -f svg -o holders.svg",
};

const struct command inspect_command = {
	.name = "inspect",
	.help = "what is alive in a process, and what holds it: pymemtop inspect --help",
	.argp = &inspect_argp,
	.check = check_inspect,
	.run = inspect_run,
};
