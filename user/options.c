// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"
#include "table.h"
#include "target.h"
#include "version.h"

/* Options without a short form. */
enum {
	OPTION_TOP = 256,
	OPTION_COUNT,
	OPTION_ALLOCATED,
	OPTION_ATTRIBUTION,
	OPTION_MAX_FRAMES,
	OPTION_MAX_BLOCKS,
	OPTION_MAX_SITES,
	OPTION_MAX_REGIONS,
	OPTION_SAMPLE,
	OPTION_FUNCTION,
	OPTION_FILE,
	OPTION_NO_FOLLOW,
	OPTION_EXPLAIN,
	OPTION_AT_ENTRY,
	OPTION_IDLE,
	OPTION_USAGE,
	OPTION_VERSION,
};

/* The site's number is kept in 20 bits (bpf/blocks.bpf.h). */
#define MOST_SITES	(1 << 20)
#define MOST_BLOCKS	(1 << 28)
#define MOST_REGIONS	(1 << 24)
#define MOST_SAMPLE	1000000
#define MOST_SECONDS	(10 * 365 * 86400.0)

static const struct argp_option common_options[] = {
	{ NULL, 0, NULL, 0, "What is recorded:", 1 },
	{ "pid", 'p', "PID[,PID...]", 0, "Record these processes; can be given several times", 1 },
	{ "all", 'a', NULL, 0, "Record every CPython process that runs now; mode rss, if none is given", 1 },
	{ "no-follow", OPTION_NO_FOLLOW, NULL, 0, "Leave out the children that they fork", 1 },
	{ "mode", 'm', "MODE", 0,
	  "heap (the default with -p): blocks, until they are freed; rss: resident pages, by the line that "
	  "touched each first, whatever the allocator; lines: what each line that runs adds, as "
	  "memory_profiler shows it (CPython up to 3.11 with markers; slows every line 30 times)", 1 },
	{ "function", OPTION_FUNCTION, "NAME", 0,
	  "lines: report this function, qualified (Class.method) or not; can be given several times",
	  1 },
	{ "file", OPTION_FILE, "GLOB", 0,
	  "lines: report files that match; without: the program's own", 1 },
	{ "sample", OPTION_SAMPLE, "N", 0, "rss: take every Nth new page, for N (1: each)", 1 },
	{ "attribution", OPTION_ATTRIBUTION, "HOW", 0,
	  "How the Python line is found: frames (walk the interpreter's frames), usdt (follow its "
	  "markers; slows every line) or auto (the default: frames where the version is known)", 1 },
	{ "duration", 'd', "SECONDS", 0, "Stop after that time", 1 },
	{ "interval", 'i', "SECONDS", 0,
	  "record: a report every so often, each with the increment since the last; top: how often "
	  "the table is redrawn (1)", 1 },
	{ NULL, 0, NULL, 0, "Limits; what is beyond them is counted as lost, and shown:", 3 },
	{ "max-frames", OPTION_MAX_FRAMES, "N", 0, "Frames of a stack (64; 128 at most)", 3 },
	{ "max-blocks", OPTION_MAX_BLOCKS, "N", 0, "Live blocks (1000000; before Linux 6.1 262144)", 3 },
	{ "max-sites", OPTION_MAX_SITES, "N", 0, "Distinct stacks (65536)", 3 },
	{ "max-regions", OPTION_MAX_REGIONS, "N", 0,
	  "rss: regions of 2 MiB with resident pages (65536: 128 GiB; before Linux 6.1 four times "
	  "what the machine has)", 3 },
	{ NULL, 0, NULL, 0, "To measure pymemtop itself:", 4 },
	{ "probe-at-entry", OPTION_AT_ENTRY, NULL, 0,
	  "Put probes on the functions' first instructions, as other tools do", 4 },
	{ "idle-programs", OPTION_IDLE, NULL, 0,
	  "Attach BPF programs that return at once: what the probes alone cost", 4 },
	{ NULL, 0, NULL, 0, "Other:", -1 },
	{ "explain-probes", OPTION_EXPLAIN, NULL, 0,
	  "Only tell where the probes would sit, what they cost there, and why", -1 },
	{ 0 },
};

/* Of every command. */
static const struct argp_option other_options[] = {
	{ "verbose", 'v', NULL, 0, "Tell what is done, on stderr", -1 },
	{ "help", '?', NULL, 0, "Show this, and end", -1 },
	{ "version", OPTION_VERSION, NULL, 0, "Show the version, and end", -1 },
	{ "usage", OPTION_USAGE, NULL, 0, "Show a short usage message, and end", -1 },
	{ 0 },
};

static const struct argp_option record_options[] = {
	{ NULL, 0, NULL, 0, "What comes out:", 2 },
	{ "format", 'f', "FORMAT", 0,
	  "report (the default): lines by increment, and the text around them; folded: one line a "
	  "stack, for flamegraph.pl; json: everything, for programs", 2 },
	{ "output", 'o', "FILE", 0, "Write there, whole or not at all (stdout)", 2 },
	{ "top", OPTION_TOP, "N", 0, "report: lines of each process (20)", 2 },
	{ "count", OPTION_COUNT, NULL, 0, "folded: weigh by outstanding blocks, not bytes", 2 },
	{ "allocated", OPTION_ALLOCATED, NULL, 0,
	  "folded: weigh by all bytes allocated since the attach, also freed ones", 2 },
	{ 0 },
};

static const struct argp top_argp, record_argp, doctor_argp;

/* Says what is wrong with the command line. */
#define usage_error(...) (say_error(__VA_ARGS__), EINVAL)

static int parse_seconds(const char *option, const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(*seconds) || *seconds <= 0 || *seconds > MOST_SECONDS)
		return usage_error("%s %s: give a number of seconds greater than 0", option, text);
	return 0;
}

static int parse_number(const char *option, const char *text, unsigned int least,
			unsigned int most, unsigned int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || text[0] == '-' || value < least || value > most)
		return usage_error("%s %s: give a whole number from %u to %u", option, text, least,
				   most);
	*number = value;
	return 0;
}

/* Options that are a whole number, and where in struct options it goes. */
static const struct number_option {
	int key;
	const char *name;
	unsigned int least, most;
	size_t offset;
} number_options[] = {
#define TO(member) offsetof(struct options, member)
	{ OPTION_MAX_FRAMES, "--max-frames", 1, MAX_FRAMES, TO(source.max_frames) },
	{ OPTION_MAX_BLOCKS, "--max-blocks", 1, MOST_BLOCKS, TO(source.max_blocks) },
	{ OPTION_MAX_SITES, "--max-sites", 2, MOST_SITES, TO(source.max_sites) },
	{ OPTION_MAX_REGIONS, "--max-regions", 1, MOST_REGIONS, TO(source.max_regions) },
	{ OPTION_SAMPLE, "--sample", 1, MOST_SAMPLE, TO(source.sample) },
	{ OPTION_TOP, "--top", 1, INT_MAX, TO(render.top) },
#undef TO
};

/* ARGP_ERR_UNKNOWN where it is none of those. */
static int parse_number_option(struct options *options, int key, const char *arg)
{
	const struct number_option *option;
	size_t i;

	for (i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
		option = &number_options[i];
		if (option->key == key)
			return parse_number(option->name, arg, option->least, option->most,
					    (unsigned int *)((char *)options + option->offset));
	}
	return ARGP_ERR_UNKNOWN;
}

static int parse_pids(struct options *options, char *list)
{
	unsigned int pid;
	pid_t *more;
	char *text;
	size_t i;
	int err;

	/* strsep, unlike strtok, also sees what is empty: "1,,2" */
	while ((text = strsep(&list, ","))) {
		err = parse_number("--pid", text, 1, INT_MAX, &pid);
		if (err)
			return err;
		for (i = 0; i < options->npids && options->pids[i] != (pid_t)pid; i++)
			;
		if (i < options->npids)
			continue;
		if (options->npids == MAX_PROCESSES / 2)
			return usage_error("--pid: %d processes at most", MAX_PROCESSES / 2);
		more = reallocarray(options->pids, options->npids + 1, sizeof(*more));
		if (!more)
			return ENOMEM;
		options->pids = more;
		more[options->npids++] = pid;
	}
	return 0;
}

static int add_word(const char ***words, size_t *n, const char *word)
{
	const char **more = reallocarray(*words, *n + 1, sizeof(*more));

	if (!more)
		return ENOMEM;
	*words = more;
	more[(*n)++] = word;
	return 0;
}

static int parse_attribution(struct options *options, const char *text)
{
	if (!strcmp(text, "auto"))
		options->attribution = 0;
	else if (!strcmp(text, "frames"))
		options->attribution = ATTRIBUTION_FRAMES;
	else if (!strcmp(text, "usdt"))
		options->attribution = ATTRIBUTION_USDT;
	else
		return usage_error("--attribution %s: give auto, frames or usdt", text);
	return 0;
}

/* top may be left out. */
static const struct {
	const char *name;
	const struct argp *argp;
} commands[] = {
	[COMMAND_TOP] = { "top", &top_argp },
	[COMMAND_RECORD] = { "record", &record_argp },
	[COMMAND_DOCTOR] = { "doctor", &doctor_argp },
};

static int show_help(const struct argp_state *state, unsigned int flags)
{
	const struct options *options = state->input;
	const char *command = commands[options->command].name;
	char *name = NULL;

	if (asprintf(&name, "pymemtop%s%s", options->command ? " " : "",
		     options->command ? command : "") < 0)
		return EXIT_FAILURE;
	argp_help(state->root_argp, stdout, flags, name);
	putchar('\n');
	free(name);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_common_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
		return parse_pids(options, arg);
	case 'a':
		options->all = true;
		return 0;
	case 'd':
		return parse_seconds("--duration", arg, &options->duration);
	case 'i':
		return parse_seconds("--interval", arg, &options->interval);
	case 'm':
		options->type = source_type__find(arg);
		return options->type ? 0 : usage_error("--mode %s: give heap, rss or lines", arg);
	case 'v':
		options->verbose = true;
		return 0;
	case OPTION_AT_ENTRY:
		options->source.at_entry = true;
		return 0;
	case OPTION_IDLE:
		options->source.idle = true;
		return 0;
	case OPTION_EXPLAIN:
		options->explain = true;
		return 0;
	case OPTION_ATTRIBUTION:
		return parse_attribution(options, arg);
	case OPTION_FUNCTION:
		return add_word(&options->selection.functions, &options->selection.nfunctions, arg);
	case OPTION_FILE:
		return add_word(&options->selection.files, &options->selection.nfiles, arg);
	case OPTION_NO_FOLLOW:
		options->source.follow = false;
		return 0;
	case '?':
		exit(show_help(state, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK));
	case OPTION_USAGE:
		exit(show_help(state, ARGP_HELP_USAGE));
	case OPTION_VERSION:
		exit(puts("pymemtop " PYMEMTOP_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS);
	case ARGP_KEY_INIT:
		/* getopt says in one line what is wrong; argp would add a second. */
		state->err_stream = NULL;
		return 0;
	case ARGP_KEY_ARG:
		/* A program, and everything behind it is its own. */
		options->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	}
	return parse_number_option(options, key, arg);
}

static int parse_record_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'f':
		options->renderer = renderer__find(arg);
		return options->renderer ? 0 :
			usage_error("--format %s: give report, folded or json", arg);
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_COUNT:
		options->render.weight = WEIGHT_COUNT;
		return 0;
	case OPTION_ALLOCATED:
		options->render.weight = WEIGHT_ALLOCATED;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->child_inputs[1] = options;
		return 0;
	}
	return parse_number_option(options, key, arg);
}

static int parse_top_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->child_inputs[1] = state->input;
	return 0;
}

static const struct argp other_argp = {
	.options = other_options,
	.parser = parse_common_option,
};

static const struct argp common_argp = {
	.options = common_options,
	.parser = parse_common_option,
};

static const struct argp_child children[] = {
	{ &other_argp, 0, NULL, 0 },
	{ &common_argp, 0, NULL, 0 },
	{ 0 },
};

static const struct argp top_argp = {
	.parser = parse_top_option,
	.children = children,
	.args_doc = "-p PID\n-a\nrecord -p PID\nrecord -- COMMAND [ARG...]\ndoctor",
	.doc = "Shows which Python file:line holds the memory of a live, unmodified CPython process. "
	       "The target is never changed: nothing is injected, it is not stopped, and no restart "
	       "is needed.\v"
	       "Commands:\n"
	       "  top       a table, redrawn every second; also without a command.\n"
	       "            Not on a terminal: one report, after 10 seconds\n"
	       "  record    a report, or a file for other tools: pymemtop record --help\n"
	       "  doctor    what works on this machine, what does not, why, and what helps\n\n"
	       "Examples:\n"
	       "  sudo pymemtop -p 4242\n"
	       "  sudo pymemtop -a\n"
	       "  sudo pymemtop record -p 4242 -d 30\n"
	       "  sudo pymemtop record -p 4242 -d 30 -f folded | flamegraph.pl > mem.svg",
};

static const struct argp record_argp = {
	.options = record_options,
	.parser = parse_record_option,
	.children = children,
	.args_doc = "-p PID\n-- COMMAND [ARG...]",
	.doc = "Records processes, or a program that it starts, and writes what holds their memory.\v"
	       "Without -d it records until Ctrl-C, or until the processes have ended. A COMMAND is "
	       "recorded from its first Python line on, and its exit status is passed on.\n\n"
	       "Examples:\n"
	       "  sudo pymemtop record -p 4242 -d 30 -i 5\n"
	       "  sudo pymemtop record -p 4242 -d 30 -f json -o mem.json\n"
	       "  sudo pymemtop record -f folded -o out.folded -- python3 app.py --own-flags",
};

static const struct argp doctor_argp = {
	.options = other_options,
	.parser = parse_common_option,
	.doc = "Tells what works on this machine, what does not, why, and what helps: what a report of "
	       "a fault should have with it. The exit status is 0 where all modes can be used.",
};

static void set_defaults(struct options *options)
{
	memset(options, 0, sizeof(*options));
	options->renderer = renderer__find("report");
	options->render.top = 20;
	source_options__init(&options->source);
}

/* What goes with one mode only. */
static int check_mode(const struct options *options)
{
	bool lines = options->type->by_line;

	if (!lines && (options->selection.nfunctions || options->selection.nfiles))
		return usage_error("--function and --file go with --mode lines");
	if (lines && options->attribution == ATTRIBUTION_FRAMES)
		return usage_error("--mode lines follows CPython's markers: it has no --attribution frames");
	if (!options->type->counts_resident && options->source.sample > 1)
		return usage_error("--sample goes with --mode rss");
	return 0;
}

static int check(const struct options *options)
{
	if (options->command == COMMAND_DOCTOR)
		return options->argv ? usage_error("doctor takes no arguments") : 0;
	if ((options->npids > 0) + options->all + !!options->argv > 1)
		return usage_error("give -p PID, -a or a COMMAND, not both");
	if (options->argv && options->command == COMMAND_TOP)
		return usage_error("%s: no such command; to start a program: pymemtop record -- %s",
				   options->argv[0], options->argv[0]);
	if (!options->argv && !options->npids && !options->all)
		return usage_error("which process? Give -p PID%s; see pymemtop --help",
				   options->command == COMMAND_RECORD ? ", -a or -- COMMAND" : " or -a");
	if (options->argv && options->explain)
		return usage_error("--explain-probes is for processes that run: give -p PID");
	if (options->command == COMMAND_RECORD && options->interval && !options->renderer->repeats)
		return usage_error("--interval goes with report and json: %s would be added up",
				   options->renderer->name);
	if (options->interval && options->duration && options->interval > options->duration)
		return usage_error("--interval is longer than --duration");
	return check_mode(options);
}

void options__free(struct options *options)
{
	free(options->pids);
	free(options->selection.functions);
	free(options->selection.files);
}

int options__parse(struct options *options, int argc, char **argv)
{
	static char name[] = "pymemtop";
	size_t i;
	int err;

	set_defaults(options);
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		options->command = i;
		argv++;
		argc--;
		break;
	}
	argv[0] = name;
	err = argp_parse(commands[options->command].argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL,
			 options);
	if (!options->type)
		options->type = source_type__find(options->all ? "rss" : "heap");
	if (options->type->by_line && options->renderer == renderer__find("report"))
		options->renderer = &table_renderer;
	return err ? -EINVAL : -check(options);
}
