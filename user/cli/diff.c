// SPDX-License-Identifier: BSD-2-Clause
/* Tells what differs between two saved profiles. Needs no rights but to read the files. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/output.h"
#include "cli/rendering.h"
#include "cli/saved.h"
#include "render/differences.h"
#include "render/objects.h"

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
	{"format", 'f', "report|json", 0,
	 "report (the default) or json: schema pymemtop.diff/1; of inspect's pymemtop.objects/1",
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
							  "report, json, folded and svg",
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

/* As it is given, or as the output's name ends. */
static const struct differences_renderer *renderer_of(const struct options *options)
{
	const struct differences_renderer *renderer = options->differences;

	if (!renderer && options->output)
		renderer = differences_renderer__of_file(options->output);
	return renderer ?: differences_renderer__find("report");
}

static int write_differences(const void *context, FILE *out)
{
	const struct comparison *comparison = context;
	const struct differences_renderer *renderer = renderer_of(comparison->options);

	return renderer->render(&comparison->set, comparison->options->render.top, out);
}

static int compare_profiles(struct comparison *comparison)
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

struct objects_comparison {
	const struct options *options;
	const struct saved *now; /* with the others as their first looks */
};

static int write_objects(const void *context, FILE *out)
{
	const struct objects_comparison *comparison = context;
	const struct options *options = comparison->options;
	return objects_renderer__find(renderer_of(options)->name)
		->render(comparison->now->all, comparison->now->n, options->render.top, out);
}

/* The process before: the one with its id; in files with one each, that one. NULL: there is none.
 */
static struct inspected *counterpart(const struct saved *before, const struct saved *now,
				     const struct inspected *one)
{
	size_t i;

	if (before->n == 1 && now->n == 1)
		return before->all;
	for (i = 0; i < before->n; i++) {
		if (before->all[i].pid == one->pid)
			return &before->all[i];
	}
	return NULL;
}

/* Makes what was there before the first look of what is there now. */
static int compare_objects(const struct options *options, struct saved *before, struct saved *now)
{
	struct inspected *one, *other;

	if (options->group != GROUP_LINE) {
		log_error(
			"--group is for profiles that record has saved, not for what inspect has");
		return -EINVAL;
	}
	for (one = now->all; one < now->all + now->n; one++) {
		census__free(one->first);
		one->first = NULL;
		other = counterpart(before, now, one);
		if (!other || !other->now) {
			log_error("process %d of %s has no counterpart in %s", one->pid,
				  options->files[1], options->files[0]);
			continue;
		}
		one->first = other->now;
		other->now = NULL;
	}
	return output__write(options->output, write_objects,
			     &(struct objects_comparison){options, now});
}

static int compare(const struct options *options, struct saved *before, struct saved *now)
{
	const char *before_file = options->files[0], *now_file = options->files[1];

	if (!before->profile != !now->profile) {
		log_error("%s and %s do not compare: one is record's, the other inspect's",
			  before_file, now_file);
		return -EINVAL;
	}
	if (!now->profile)
		return compare_objects(options, before, now);
	return compare_profiles(&(struct comparison){
		.options = options,
		.set = {before->profile, now->profile, before_file, now_file, .by = options->group},
	});
}

static int run_diff(const struct options *options)
{
	struct saved before = {0}, now = {0};
	int err = saved__load(options->files[0], &before);

	if (!err)
		err = saved__load(options->files[1], &now);
	if (!err)
		err = compare(options, &before, &now);
	saved__clear(&before);
	saved__clear(&now);
	return err;
}

static int check_diff(const struct options *options)
{
	return options->nfiles == 2
		       ? 0
		       : usage_error("which files? Give two that record, or inspect, -f json -o "
				     "FILE has saved, the older one first");
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
	       "processes together, what now holds more, less, or nothing any more. Of what inspect "
	       "-f json has saved: each process's types and holders.\v"
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
