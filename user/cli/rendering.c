// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/rendering.h"
#include "render/objects.h"
#include "render/renderers.h"

enum {
	OPTION_TOP = 1024,
	OPTION_COUNT,
	OPTION_ALLOCATED,
};

static const struct argp_option rendering_options[] = {
	{NULL, 0, NULL, 0, "What comes out:", 2},
	{"format", 'f', "FORMAT", 0, "How it is written:", 2},
	{"output", 'o', "FILE", 0,
	 "Write there, whole or not at all; without -f, the name's ending tells the format (stdout)",
	 2},
	{"top", OPTION_TOP, "N", 0, "report: lines of each process (20)", 2},
	{"count", OPTION_COUNT, NULL, 0, "folded: weigh by outstanding blocks, not bytes", 2},
	{"allocated", OPTION_ALLOCATED, NULL, 0,
	 "folded: weigh by all bytes allocated since the attach, also freed ones", 2},
	{0},
};

static int parse_rendering_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'f':
		options->format = arg;
		return 0;
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_TOP:
		return options__parse_number("--top", arg, 1, INT_MAX, &options->render.top);
	case OPTION_COUNT:
		options->render.weight = WEIGHT_COUNT;
		return 0;
	case OPTION_ALLOCATED:
		options->render.weight = WEIGHT_ALLOCATED;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The help of --format lists the formats of the table. */
static char *complete_help(int key, const char *text, void *input)
{
	const struct renderer *renderer;
	char *whole, *longer;
	size_t i;

	(void)input;
	if (key != 'f')
		return (char *)text;
	whole = strdup(text);
	for (i = 0; whole && (renderer = renderer__get(i)); i++) {
		if (asprintf(&longer, "%s%s %s%s: %s", whole, i ? ";" : "", renderer->name,
			     i ? "" : " (the default)", renderer->help) < 0)
			longer = NULL;
		free(whole);
		whole = longer;
	}
	return whole ?: (char *)text;
}

enum {
	OPTION_OWN = 1100,
	OPTION_LIBRARY,
};

static const struct argp_option own_code_options[] = {
	{"own", OPTION_OWN, "GLOB", 0,
	 "Files that match are the program's own, wherever they are installed; can be repeated", 2},
	{"library", OPTION_LIBRARY, "GLOB", 0, "Files that match are not; can be repeated", 2},
	{0},
};

static int parse_own_code(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	struct own_code *code = &options->filter.code;

	if (key == OPTION_OWN)
		return options__add_word(&code->files, &code->nfiles, arg);
	if (key == OPTION_LIBRARY)
		return options__add_word(&code->libraries, &code->nlibraries, arg);
	return ARGP_ERR_UNKNOWN;
}

const struct argp own_code_argp = {
	.options = own_code_options,
	.parser = parse_own_code,
};

const struct argp rendering_argp = {
	.options = rendering_options,
	.parser = parse_rendering_option,
	.help_filter = complete_help,
};

int rendering__choose(struct options *options)
{
	const char *of_mode = options->modes[0]->renderer;

	if (options->format)
		options->renderer = renderer__find(options->format);
	else if (options->output)
		options->renderer = renderer__of_file(options->output);
	if (options->renderer)
		return 0;
	if (options->format && !objects_renderer__find(options->format))
		return usage_error("--format %s: there is none; see pymemtop record --help",
				   options->format);
	if (!options->format)
		options->renderer = of_mode ? renderer__find(of_mode) : renderer__get(0);
	return 0;
}

int rendering__check(const struct options *options)
{
	if (options->renderer && options->renderer->is_binary && !options->output &&
	    isatty(STDOUT_FILENO))
		return usage_error("--format %s is nothing for a terminal: give -o FILE",
				   options->renderer->name);
	return 0;
}
