// SPDX-License-Identifier: BSD-2-Clause
/* Writes a saved profile in any format. Needs no rights but to read the file. */
#include <errno.h>
#include <string.h>

#include "base/output.h"
#include "cli/rendering.h"
#include "cli/saved.h"
#include "render/objects.h"

struct saved_report {
	const struct options *options;
	const struct saved *saved;
	const struct objects_renderer *objects; /* of what inspect has saved */
};

static int write_report(const void *context, FILE *out)
{
	const struct saved_report *report = context;
	const struct options *options = report->options;

	if (report->saved->profile)
		return options->renderer->render(report->saved->profile, &options->render, out);
	return report->objects->render(report->saved->all, report->saved->n, options->render.top,
				       out);
}

static int check_format(struct saved_report *report)
{
	const struct options *options = report->options;
	const struct profile *profile = report->saved->profile;

	if (!profile) {
		report->objects = objects_renderer__choose(options->format, options->output);
		if (report->objects)
			return 0;
		log_error("--format %s is not for what inspect has saved: report, json, folded, "
			  "svg and dot are",
			  options->format);
		return -EINVAL;
	}
	if (!options->renderer) {
		log_error("--format %s is for what inspect has saved; this is record's",
			  options->format);
		return -EINVAL;
	}
	if (!options->renderer->by_line || !strcmp(profile->mode, "lines"))
		return 0;
	log_error("--format %s is for profiles of mode lines; this is one of mode %.20s",
		  options->renderer->name, profile->mode);
	return -EINVAL;
}

static int run_report(const struct options *options)
{
	struct saved saved = {0};
	struct saved_report report = {options, &saved, NULL};
	int err = saved__load(options->files[0], &saved);

	if (!err)
		err = check_format(&report);
	if (!err)
		err = output__write(options->output, write_report, &report);
	saved__clear(&saved);
	return err;
}

static int parse_report_option(int key, char *arg, struct argp_state *state)
{
	return saved__parse(state->input, key, arg, state, 1);
}

static int check_report(const struct options *options)
{
	return options->nfiles
		       ? rendering__check(options)
		       : usage_error("which file? Give one that record or inspect -f json -o "
				     "FILE has saved");
}

static const struct argp_child children[] = {
	{&general_argp, 0, NULL, 0},
	{&rendering_argp, 0, NULL, 0},
	{&own_code_argp, 0, NULL, 0},
	{0},
};

static const struct argp report_argp = {
	.parser = parse_report_option,
	.children = children,
	.args_doc = "FILE",
	.doc = "Writes a profile that record -f json, or inspect -f json, has saved in any format; "
	       "\"-\" is stdin.\v"
	       "Source lines are not in the file, so reports of it have none.\n\n"
	       "Examples:\n"
	       "  sudo pymemtop record -p 4242 -d 30 -f json -o mem.json\n"
	       "  pymemtop report mem.json\n"
	       "  pymemtop report mem.json -f folded | flamegraph.pl > mem.svg",
};

const struct command report_command = {
	.name = "report",
	.help = "writes a saved profile in any format: pymemtop report --help",
	.argp = &report_argp,
	.check = check_report,
	.run = run_report,
};
