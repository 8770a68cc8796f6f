// SPDX-License-Identifier: BSD-2-Clause
/* Writes a saved profile in any format. Needs no rights but to read the file. */
#include <errno.h>
#include <string.h>

#include "base/output.h"
#include "cli/rendering.h"
#include "cli/saved.h"

struct saved_report {
	const struct options *options;
	const struct profile *profile;
};

static int write_profile(const void *context, FILE *out)
{
	const struct saved_report *report = context;

	return report->options->renderer->render(report->profile, &report->options->render, out);
}

static int run_report(const struct options *options)
{
	struct profile *profile;
	int err = saved__load(options->files[0], &profile);

	if (err)
		return err;
	if (options->renderer->by_line && strcmp(profile->mode, "lines") != 0) {
		log_error("--format %s is for profiles of mode lines; this is one of mode %.20s",
			  options->renderer->name, profile->mode);
		err = -EINVAL;
	} else {
		err = output__write(options->output, write_profile,
				    &(struct saved_report){options, profile});
	}
	profile__free(profile);
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
		       : usage_error("which file? Give one that record -f json -o FILE has saved");
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
	.doc = "Writes a profile that record -f json has saved in any format; \"-\" is stdin.\v"
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
