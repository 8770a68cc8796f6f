// SPDX-License-Identifier: BSD-2-Clause
/* Tells what differs between two saved profiles. Needs no rights but to read the files. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/output.h"
#include "cli/rendering.h"
#include "cli/saved.h"
#include "render/differences.h"

enum {
	OPTION_TOP = 2048,
	OPTION_GROUP,
};

static const struct {
	const char *name;
	enum group_by by;
} groupings[] = {
	{"line", GROUP_LINE},	 {"function", GROUP_FUNCTION}, {"file", GROUP_FILE},
	{"own", GROUP_OWN_LINE}, {"program", GROUP_PROGRAM},
};

static const struct argp_option diff_options[] = {
	{NULL, 0, NULL, 0, "What comes out:", 2},
	{"group", OPTION_GROUP, "BY", 0,
	 "line (the default), function, file, own (the program's own line) or program", 2},
	{"format", 'f', "report|json", 0, "report (the default) or json: schema pymemtop.diff/1",
	 2},
	{"output", 'o', "FILE", 0, "Write there, whole or not at all (stdout)", 2},
	{"top", OPTION_TOP, "N", 0, "report: rows (20)", 2},
	{0},
};

static int parse_group(struct options *options, const char *arg)
{
	size_t i;

	for (i = 0; i < sizeof(groupings) / sizeof(groupings[0]); i++) {
		if (!strcmp(groupings[i].name, arg)) {
			options->group = groupings[i].by;
			return 0;
		}
	}
	return usage_error("--group %s: there is none; see pymemtop diff --help", arg);
}

static int parse_diff_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_GROUP:
		return parse_group(options, arg);
	case 'f':
		options->differences = differences_renderer__find(arg);
		return options->differences ? 0
					    : usage_error("--format %s: there is none; diff has "
							  "report and json",
							  arg);
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_TOP:
		return options__parse_number("--top", arg, 1, INT_MAX, &options->render.top);
	}
	return saved__parse(options, key, arg, state, 2);
}

struct comparison {
	const struct options *options;
	struct difference_set set;
};

static int write_differences(const void *context, FILE *out)
{
	const struct comparison *comparison = context;
	const struct differences_renderer *renderer =
		comparison->options->differences ?: differences_renderer__find("report");

	return renderer->render(&comparison->set, comparison->options->render.top, out);
}

static int compare(struct comparison *comparison)
{
	struct difference_set *set = &comparison->set;
	char why[80];
	int err;

	if (!profiles__compare(set->before, set->now, why, sizeof(why))) {
		log_error("%s and %s do not compare: %s", set->before_file, set->now_file, why);
		return -EINVAL;
	}
	err = profile__diff(set->before, set->now, set->by, &comparison->options->filter.code,
			    &set->differences);
	if (!err)
		err = output__write(comparison->options->output, write_differences, comparison);
	differences__free(&set->differences);
	return err;
}

static int run_diff(const struct options *options)
{
	const char *before_file = options->files[0], *now_file = options->files[1];
	struct profile *before = NULL, *now = NULL;
	int err = saved__load(before_file, &before);

	if (!err)
		err = saved__load(now_file, &now);
	if (!err)
		err = compare(&(struct comparison){
			.options = options,
			.set = {before, now, before_file, now_file, .by = options->group},
		});
	profile__free(before);
	profile__free(now);
	return err;
}

static int check_diff(const struct options *options)
{
	return options->nfiles == 2
		       ? 0
		       : usage_error("which files? Give two that record -f json -o FILE has saved, "
				     "the older one first");
}

static const struct argp_child children[] = {
	{&general_argp, 0, NULL, 0},
	{&own_code_argp, 0, NULL, 0},
	{0},
};

static const struct argp diff_argp = {
	.options = diff_options,
	.parser = parse_diff_option,
	.children = children,
	.args_doc = "BEFORE NOW",
	.doc = "Tells what differs between two profiles that record -f json has saved: of all their "
	       "processes together, what now holds more, less, or nothing any more.\v"
	       "Examples:\n"
	       "  pymemtop diff monday.json tuesday.json\n"
	       "  pymemtop diff old.json new.json --group own",
};

const struct command diff_command = {
	.name = "diff",
	.help = "what differs between two saved profiles: pymemtop diff --help",
	.argp = &diff_argp,
	.check = check_diff,
	.run = run_diff,
};
