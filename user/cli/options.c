// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/procfs.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/rendering.h"
#include "modes/modes.h"
#include "render/renderers.h"
#include "symbols/stack_table.h"
#include "target/images.h"
#include "target/target.h"
#include "version.h"

/* Options without a short form. */
enum {
	OPTION_ATTRIBUTION = 256,
	OPTION_MAX_FRAMES,
	OPTION_MAX_BLOCKS,
	OPTION_MAX_SITES,
	OPTION_MAX_REGIONS,
	OPTION_MAX_POOLS,
	OPTION_SAMPLE,
	OPTION_PEAK,
	OPTION_MAX_OVERHEAD,
	OPTION_MIN_AGE,
	OPTION_NAME,
	OPTION_USER,
	OPTION_UNIT,
	OPTION_CONTAINER,
	OPTION_CGROUP,
	OPTION_NO_CHILDREN,
	OPTION_GROUP_BY,
	OPTION_FUNCTION,
	OPTION_FILE,
	OPTION_NO_FOLLOW,
	OPTION_EXPLAIN,
	OPTION_AT_ENTRY,
	OPTION_MARKERS,
	OPTION_IDLE,
	OPTION_USAGE,
	OPTION_VERSION,
};

#define MOST_BLOCKS  (1 << 28)
#define MOST_REGIONS (1 << 24)
#define MOST_SAMPLE  1000000
#define MOST_SECONDS (10 * 365 * 86400.0)

static const struct argp_option observing_options[] = {
	{NULL, 0, NULL, 0, "What is recorded:", 1},
	{"pid", 'p', "PID[,PID...]", 0, "Record these processes; can be repeated", 1},
	{"all", 'a', NULL, 0,
	 "Record every CPython process, including those that start later; default mode rss", 1},
	{"name", OPTION_NAME, "REGEX", 0,
	 "-a, but only processes whose command line matches; so do the next four, all together", 1},
	{"user", OPTION_USER, "NAME", 0, "... of this user", 1},
	{"unit", OPTION_UNIT, "NAME", 0, "... of this unit of systemd's", 1},
	{"container", OPTION_CONTAINER, "ID", 0,
	 "... in the container whose id begins so, or in the machine of that name", 1},
	{"cgroup", OPTION_CGROUP, "PATH", 0, "... in this control group, or below it", 1},
	{"no-children", OPTION_NO_CHILDREN, NULL, 0,
	 "With -p: do not take in the children that run already", 1},
	{"group", OPTION_GROUP_BY, "BY", 0,
	 "program: one part for each program, with all its processes, also those that have ended "
	 "(process)",
	 1},
	{"no-follow", OPTION_NO_FOLLOW, NULL, 0, "Do not record the children that they start", 1},
	{"mode", 'm', "MODE[,MODE]", 0, "What to count (heap with -p, rss with -a):", 1},
	{"function", OPTION_FUNCTION, "NAME", 0,
	 "lines: report this function, qualified (Class.method) or not; can be repeated", 1},
	{"file", OPTION_FILE, "GLOB", 0,
	 "lines: report files that match (default: the program's own)", 1},
	{"markers", OPTION_MARKERS, NULL, 0,
	 "lines: read the memory at each line, by CPython's markers: also counts how often each line "
	 "ran, and slows each down some 30 times",
	 1},
	{"sample", OPTION_SAMPLE, "N", 0, "rss: record one new page in N, and count it N times (1)",
	 1},
	{"peak", OPTION_PEAK, NULL, 0,
	 "heap: all as it was when the process held most, in place of what it holds now", 1},
	{"max-overhead", OPTION_MAX_OVERHEAD, "PERCENT", 0,
	 "heap, objects: watch in short windows only, so that it costs at most this part of the "
	 "targets' CPU time; what is kept is then an estimate",
	 1},
	{"min-age", OPTION_MIN_AGE, "SECONDS", 0,
	 "With --max-overhead: what still lives after this long is kept (5)", 1},
	{"attribution", OPTION_ATTRIBUTION, "HOW", 0,
	 "How to find the Python line: frames (walk the interpreter's frames), usdt (follow its "
	 "markers; slows every line) or auto (the default: frames if the version is known)",
	 1},
	{"duration", 'd', "SECONDS", 0, "Stop after this long", 1},
	{"interval", 'i', "SECONDS", 0,
	 "record: report this often, each time with the increment since the last report; top: redraw "
	 "this often (1)",
	 1},
	{NULL, 0, NULL, 0, "Limits; anything beyond them is counted as lost, and shown:", 3},
	{"max-frames", OPTION_MAX_FRAMES, "N", 0,
	 "Frames of a stack (64; with --mode lines 128, the most)", 3},
	{"max-blocks", OPTION_MAX_BLOCKS, "N", 0, "Live blocks (1000000; before Linux 6.1 262144)",
	 3},
	{"max-sites", OPTION_MAX_SITES, "N", 0, "Distinct stacks (65536)", 3},
	{"max-regions", OPTION_MAX_REGIONS, "N", 0,
	 "rss: regions of 2 MiB with resident pages (65536: 128 GiB; before Linux 6.1 four times "
	 "what the machine has)",
	 3},
	{"max-pools", OPTION_MAX_POOLS, "N", 0,
	 "objects: pages of 4 KiB with small objects (262144: 1 GiB; before Linux 6.1 65536)", 3},
	{NULL, 0, NULL, 0, "To measure pymemtop itself:", 4},
	{"probe-at-entry", OPTION_AT_ENTRY, NULL, 0,
	 "Place probes on functions' first instructions, as other tools do", 4},
	{"idle-programs", OPTION_IDLE, NULL, 0,
	 "Attach BPF programs that return at once, to see what the probes alone cost", 4},
	{NULL, 0, NULL, 0, "Other:", -1},
	{"explain-probes", OPTION_EXPLAIN, NULL, 0,
	 "Only print where the probes would sit, what they cost there, and why", -1},
	{0},
};

/* Options of every command. */
static const struct argp_option general_options[] = {
	{"verbose", 'v', NULL, 0, "Log details to stderr; twice, libbpf's as well", -1},
	{"help", '?', NULL, 0, "Show this help and exit", -1},
	{"version", OPTION_VERSION, NULL, 0, "Show the version and exit", -1},
	{"usage", OPTION_USAGE, NULL, 0, "Show a short usage message and exit", -1},
	{0},
};

static int parse_seconds(const char *option, const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(*seconds) || *seconds <= 0 || *seconds > MOST_SECONDS)
		return usage_error("%s %s: give a number of seconds greater than 0", option, text);
	return 0;
}

static int parse_percent(const char *option, const char *text, double *part)
{
	char *end;

	*part = strtod(text, &end) / 100;
	if (end == text || *end || !(*part >= 0.0001 && *part <= 1))
		return usage_error("%s %s: give a percentage, from 0.01 to 100", option, text);
	return 0;
}

int options__parse_number(const char *option, const char *text, unsigned int least,
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

/* Options that take a whole number, and where it goes in struct options. */
static const struct number_option {
	int key;
	const char *name;
	unsigned int least, most;
	size_t offset;
} number_options[] = {
#define TO(member) offsetof(struct options, member)
	{OPTION_MAX_FRAMES, "--max-frames", 1, MAX_FRAMES, TO(collector.max_frames)},
	{OPTION_MAX_BLOCKS, "--max-blocks", 1, MOST_BLOCKS, TO(collector.max_blocks)},
	{OPTION_MAX_SITES, "--max-sites", 2, MOST_SITES, TO(collector.max_sites)},
	{OPTION_MAX_REGIONS, "--max-regions", 1, MOST_REGIONS, TO(collector.max_regions)},
	{OPTION_MAX_POOLS, "--max-pools", 1, MOST_REGIONS, TO(collector.max_pools)},
	{OPTION_SAMPLE, "--sample", 1, MOST_SAMPLE, TO(collector.sample)},
#undef TO
};

/* Returns ARGP_ERR_UNKNOWN if the key is none of those. */
static int parse_number_option(struct options *options, int key, const char *arg)
{
	const struct number_option *option;
	size_t i;

	for (i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
		option = &number_options[i];
		if (option->key == key)
			return options__parse_number(option->name, arg, option->least, option->most,
						     (unsigned int *)((char *)options +
								      option->offset));
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

	/* Unlike strtok(), strsep() also returns empty fields: "1,,2" */
	while ((text = strsep(&list, ","))) {
		err = options__parse_number("--pid", text, 1, INT_MAX, &pid);
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
			return -ENOMEM;
		options->pids = more;
		more[options->npids++] = pid;
	}
	return 0;
}

int options__add_word(const char ***words, size_t *n, const char *word)
{
	const char **more = reallocarray(*words, *n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*words = more;
	more[(*n)++] = word;
	return 0;
}

static int parse_modes(struct options *options, char *list)
{
	const struct mode *mode;
	char *name;
	size_t i;

	options->nmodes = 0;
	while ((name = strsep(&list, ","))) {
		mode = mode__find(name);
		if (!mode)
			return usage_error("--mode %s: there is none; see pymemtop --help", name);
		for (i = 0; i < options->nmodes && options->modes[i] != mode; i++)
			;
		if (i < options->nmodes)
			continue;
		if (i == MOST_COLLECTORS)
			return usage_error("--mode: %d at most", MOST_COLLECTORS);
		options->modes[options->nmodes++] = mode;
	}
	return 0;
}

static int parse_attribution(struct options *options, const char *text)
{
	const char *name;
	size_t i;

	for (i = 0; (name = attribution__name(i)); i++) {
		if (!strcmp(text, name)) {
			options->attribution = i;
			return 0;
		}
	}
	return usage_error("--attribution %s: give auto, frames or usdt", text);
}

/* Returns head and a list of the modes in the table, or NULL if out of memory. */
static char *list_modes(const char *head)
{
	const struct mode *mode;
	char *text = strdup(head), *longer;
	size_t i;

	for (i = 0; text && (mode = mode__get(i)); i++) {
		if (asprintf(&longer, "%s%s %s: %s%s%s", text, i ? ";" : "", mode->name, mode->help,
			     mode->warning ? "; " : "", mode->warning ?: "") < 0)
			longer = NULL;
		free(text);
		text = longer;
	}
	return text;
}

char *options__list_commands(int key, const char *text, void *input)
{
	const struct command *command;
	char *list = NULL, *longer;
	size_t i;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC || !text)
		return (char *)text;
	list = strdup("Commands:\n");
	for (i = 0; list && (command = command__get(i)); i++) {
		if (asprintf(&longer, "%s  %-10s %s\n", list, command->name, command->help) < 0)
			longer = NULL;
		free(list);
		list = longer;
	}
	if (list && asprintf(&longer, "%s\n%s", list, text) < 0)
		longer = NULL;
	free(list);
	return list && longer ? longer : (char *)text;
}

/* The help of --mode lists the modes of the table. */
static char *complete_help(int key, const char *text, void *input)
{
	(void)input;
	return key == 'm' ? list_modes(text) ?: (char *)text : (char *)text;
}

static int show_help(const struct argp_state *state, unsigned int flags)
{
	const struct options *options = state->input;
	bool first = options->command == command__get(0);
	char *name = NULL;

	if (asprintf(&name, "pymemtop%s%s", first ? "" : " ", first ? "" : options->command->name) <
	    0)
		return EXIT_FAILURE;
	argp_help(state->root_argp, stdout, flags, name);
	putchar('\n');
	free(name);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int options__parse_option(int key, char *arg, struct argp_state *state)
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
		return parse_modes(options, arg);
	case OPTION_NAME:
		return selection__set_name(&options->selection, arg);
	case OPTION_USER:
		return selection__set_user(&options->selection, arg);
	case OPTION_UNIT:
		options->selection.unit = arg;
		return 0;
	case OPTION_CONTAINER:
		options->selection.container = arg;
		return 0;
	case OPTION_CGROUP:
		options->selection.cgroup = arg;
		return 0;
	case OPTION_NO_CHILDREN:
		options->no_children = true;
		return 0;
	case OPTION_GROUP_BY:
		options->merge = !strcmp(arg, "program");
		return options->merge || !strcmp(arg, "process")
			       ? 0
			       : usage_error("--group %s: give program or process", arg);
	case OPTION_PEAK:
		options->collector.peak = true;
		return 0;
	case OPTION_MAX_OVERHEAD:
		return parse_percent("--max-overhead", arg, &options->max_overhead);
	case OPTION_MIN_AGE:
		return parse_seconds("--min-age", arg, &options->min_age);
	case 'v':
		options->verbose++;
		return 0;
	case OPTION_AT_ENTRY:
		options->collector.at_entry = true;
		return 0;
	case OPTION_IDLE:
		options->collector.idle = true;
		return 0;
	case OPTION_EXPLAIN:
		options->explain = true;
		return 0;
	case OPTION_MARKERS:
		options->markers = true;
		return 0;
	case OPTION_ATTRIBUTION:
		return parse_attribution(options, arg);
	case OPTION_FUNCTION:
		return options__add_word(&options->filter.functions, &options->filter.nfunctions,
					 arg);
	case OPTION_FILE:
		return options__add_word(&options->filter.files, &options->filter.nfiles, arg);
	case OPTION_NO_FOLLOW:
		options->collector.follow = false;
		return 0;
	case '?':
		exit(show_help(state, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK));
	case OPTION_USAGE:
		exit(show_help(state, ARGP_HELP_USAGE));
	case OPTION_VERSION:
		exit(puts("pymemtop " PYMEMTOP_VERSION) == EOF ? EXIT_FAILURE : EXIT_SUCCESS);
	case ARGP_KEY_INIT:
		/* getopt says in one line what is wrong; argp would add a second one. */
		state->err_stream = NULL;
		return 0;
	case ARGP_KEY_ARG:
		/* A program to start: everything behind it is its own. */
		options->argv = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	}
	return parse_number_option(options, key, arg);
}

const struct argp general_argp = {
	.options = general_options,
	.parser = options__parse_option,
};

const struct argp observing_argp = {
	.options = observing_options,
	.parser = options__parse_option,
	.help_filter = complete_help,
};

const struct argp_child general_children[] = {
	{&general_argp, 0, NULL, 0},
	{0},
};

const struct argp_child observing_children[] = {
	{&general_argp, 0, NULL, 0},
	{&observing_argp, 0, NULL, 0},
	{0},
};

void options__init_children(struct argp_state *state)
{
	size_t i;

	for (i = 0; state->root_argp->children && state->root_argp->children[i].argp; i++)
		state->child_inputs[i] = state->input;
}

static void set_defaults(struct options *options)
{
	memset(options, 0, sizeof(*options));
	options->render.top = 20;
	options->render.own_code = &options->filter.code;
	collector_options__init(&options->collector);
	options->collector.max_frames = 0; /* not given */
	options->images = images__new();
}

/* A line that is too far out of a stack does not get what was added below it. */
static void choose_max_frames(struct options *options)
{
	if (!options->collector.max_frames)
		options->collector.max_frames =
			options->modes[0]->sums_callers ? MAX_FRAMES : DEFAULT_FRAMES;
}

/* --markers makes another mode of one. */
static int take_markers(struct options *options)
{
	bool taken = false;
	size_t i;

	for (i = 0; options->markers && i < options->nmodes; i++) {
		if (!options->modes[i]->with_markers)
			continue;
		options->modes[i] = options->modes[i]->with_markers;
		taken = true;
	}
	return options->markers && !taken ? usage_error("--markers goes with --mode lines") : 0;
}

/* Checks options that go with one mode only. */
static int check_mode(const struct options *options)
{
	bool lines = false, resident = false;
	size_t i;

	for (i = 0; i < options->nmodes; i++) {
		lines |= options->modes[i]->by_line;
		resident |= options->modes[i]->counts_resident;
	}
	if (lines && options->nmodes > 1)
		return usage_error("--mode lines goes with no other one");
	if (!lines && (options->filter.nfunctions || options->filter.nfiles))
		return usage_error("--function and --file go with --mode lines");
	if (options->markers && options->attribution == ATTRIBUTION_FRAMES)
		return usage_error(
			"--markers follows CPython's markers: it has no --attribution frames");
	if (!resident && options->collector.sample > 1)
		return usage_error("--sample goes with --mode rss");
	return 0;
}

static int check_budget(const struct options *options)
{
	bool can_pause = false;
	size_t i;

	if (options->max_overhead <= 0)
		return options->min_age > 0 ? usage_error("--min-age goes with --max-overhead") : 0;
	for (i = 0; i < options->nmodes; i++)
		can_pause |= options->modes[i]->can_pause;
	if (!can_pause)
		return usage_error("--max-overhead goes with --mode heap and objects%s",
				   !strcmp(options->modes[0]->name, "rss") ? "; rss has --sample"
									   : "");
	if (options->attribution == ATTRIBUTION_USDT)
		return usage_error("--max-overhead: markers must be followed all the time; it goes "
				   "with --attribution frames");
	return 0;
}

static int check_peak(const struct options *options)
{
	if (!options->collector.peak)
		return 0;
	if (options->nmodes > 1 || !options->modes[0]->collector->has_peak)
		return usage_error("--peak goes with --mode heap");
	return options->max_overhead > 0 ? usage_error("--peak: all must be seen; it does not go "
						       "with --max-overhead")
					 : 0;
}

static int check_observing(const struct options *options)
{
	if ((options->npids > 0) + options->all + !!options->argv > 1)
		return usage_error("give -p PID, -a or a COMMAND, not both");
	if (options->merge && options->modes[0]->sums_callers)
		return usage_error("--group program does not go with mode %s",
				   options->modes[0]->name);
	if (options->argv && options->explain)
		return usage_error("--explain-probes is for processes that run: give -p PID");
	if (options->interval && options->duration && options->interval > options->duration)
		return usage_error("--interval is longer than --duration");
	return check_budget(options) ?: check_peak(options) ?: check_mode(options);
}

static int check(const struct options *options)
{
	int err = options->command->check ? options->command->check(options) : 0;

	return err || !options->command->observes ? err : check_observing(options);
}

void options__free(struct options *options)
{
	images__free(options->images);
	selection__clear(&options->selection);
	free(options->pids);
	free(options->filter.functions);
	free(options->filter.files);
	free(options->filter.code.files);
	free(options->filter.code.libraries);
}

int options__parse(struct options *options, int argc, char **argv)
{
	static char name[] = "pymemtop";
	int err;

	set_defaults(options);
	options->command = argc > 1 ? command__find(argv[1]) : NULL;
	if (options->command) {
		argv++;
		argc--;
	} else {
		options->command = command__get(0);
	}
	argv[0] = name;
	/* Returns what a parser returned, or a positive errno, having said why. */
	err = argp_parse(options->command->argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL,
			 options);
	if (err)
		return err == -ENOMEM || err == ENOMEM ? -ENOMEM : -EINVAL;
	options->all |= selection__is_given(&options->selection);
	/* A daemon serves the host, unless it is told what. */
	if (options->command->takes_all && !options->npids)
		options->all = true;
	if (!options->nmodes)
		options->modes[options->nmodes++] = mode__find(options->all ? "rss" : "heap");
	err = take_markers(options);
	if (err)
		return err;
	choose_max_frames(options);
	err = rendering__choose(options);
	return err ? err : check(options);
}

static int find_selected(struct options *options)
{
	size_t i, n = 0;
	int err;

	options->pids = target__list(&options->npids, options->images);
	if (!options->pids) {
		err = -errno;
		log_error("the processes cannot be listed: %s", strerror(-err));
		return err;
	}
	for (i = 0; i < options->npids; i++) {
		if (selection__takes(&options->selection, options->pids[i]))
			options->pids[n++] = options->pids[i];
	}
	options->npids = n;
	return 0;
}

static bool is_given(const struct options *options, pid_t pid)
{
	size_t i;

	for (i = 0; i < options->npids; i++) {
		if (options->pids[i] == pid)
			return true;
	}
	return false;
}

/* Adds the children of the given processes, and theirs, that are CPython: a server's workers run
 * already. */
static int find_children(struct options *options)
{
	size_t n = 0, i;
	auto_free pid_t *all = proc_processes(&n);
	auto_free pid_t *parents = all ? calloc(n + 1, sizeof(*parents)) : NULL;
	pid_t *more;
	bool any;

	if (!all || !parents)
		return all ? -ENOMEM : 0;
	more = reallocarray(options->pids, options->npids + n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	options->pids = more;
	for (i = 0; i < n; i++)
		parents[i] = proc_parent(all[i]);
	do {
		any = false;
		for (i = 0; i < n; i++) {
			if (!is_given(options, parents[i]) || is_given(options, all[i]))
				continue;
			/* What it has started is looked at only if it is one. */
			parents[i] = 0;
			if (!target__is_python(all[i], options->images, true))
				continue;
			more[options->npids++] = all[i];
			any = true;
			log_detail("process %d is a child, and recorded", all[i]);
		}
	} while (any);
	return 0;
}

int options__find_all(struct options *options)
{
	int err = 0;

	if (options->all)
		err = find_selected(options);
	else if (options->npids && !options->no_children && options->collector.follow)
		err = find_children(options);
	if (!err && options->npids > MAX_PROCESSES / 2) {
		log_error("of %zu CPython processes only %d are recorded", options->npids,
			  MAX_PROCESSES / 2);
		options->npids = MAX_PROCESSES / 2;
	}
	return err;
}

struct session_options options__session(const struct options *options, struct loop *loop)
{
	return (struct session_options){
		.modes = options->modes,
		.nmodes = options->nmodes,
		.loop = loop,
		.collector = options->collector,
		.attribution = options->attribution,
		.pids = options->pids,
		.npids = options->npids,
		.all = options->all,
		.selection = &options->selection,
		.filter = &options->filter,
		.images = options->images,
		.max_overhead = options->max_overhead,
		.min_age = options->min_age > 0 ? options->min_age : 5,
		.types = options->types,
	};
}
