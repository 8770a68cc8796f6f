// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/filter.h"
#include "profile/own_code.h"

static bool has_file(const struct filter *filter, const char *cmdline, const char *file)
{
	return filter->nfiles ? file__matches(file, filter->files, filter->nfiles)
			      : !file__is_library(&filter->code, cmdline, file);
}

static bool has_function(const struct filter *filter, const char *function)
{
	const char *dot = strrchr(function, '.');
	size_t i;

	if (!filter->nfunctions)
		return true;
	for (i = 0; i < filter->nfunctions; i++) {
		if (!strcmp(filter->functions[i], function) ||
		    (dot && !strcmp(filter->functions[i], dot + 1)))
			return true;
	}
	return false;
}

void filter__drop_files(const struct filter *filter, struct profile_process *process)
{
	size_t i, n = 0;

	for (i = 0; i < process->nlines; i++) {
		/* Line 0 stands for the module's beginning. */
		if (process->lines[i].location->line &&
		    has_file(filter, process->cmdline, process->lines[i].location->file))
			process->lines[n++] = process->lines[i];
	}
	process->nlines = n;
}

/* The module, too, runs the line that defines a function; that run is not the function's. */
static void find_function(const struct profile_process *process, struct profile_line *line)
{
	const struct profile_file *file = profile_process__file(process, line->location->file);

	line->function = file && file->functions && strcmp(line->location->function, "<module>")
				 ? def_ranges__find(file->functions, line->location->line)
				 : NULL;
}

static int compare_lines(const void *a, const void *b)
{
	return profile_line__compare(a, b);
}

/* Merges equal lines: what is nested in a function may have run the same line of it. */
static void merge_lines(const struct schema *schema, struct profile_process *process)
{
	struct profile_line *lines = process->lines;
	size_t i, n = 0;

	qsort(lines, process->nlines, sizeof(*lines), compare_lines);
	for (i = 0; i < process->nlines; i++) {
		if (!n || profile_line__compare(&lines[n - 1], &lines[i])) {
			lines[n++] = lines[i];
			continue;
		}
		values__add(schema, &lines[n - 1].values, &lines[i].values);
		values__add(schema, &lines[n - 1].change, &lines[i].change);
	}
	process->nlines = n;
}

/* Keeps the lines in selected functions, and names them after these. */
static int select_functions(const struct filter *filter, struct profile *profile,
			    struct profile_process *process)
{
	struct profile_line *line;
	struct location location;
	size_t i, n = 0;

	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		location = *line->location;
		if (line->function)
			location.function = line->function->name;
		if (!has_function(filter, location.function))
			continue;
		process->lines[n] = *line;
		process->lines[n].location = profile__location(profile, &location);
		if (!process->lines[n++].location)
			return -ENOMEM;
	}
	process->nlines = n;
	return 0;
}

static int make_stacks(struct profile *profile, struct profile_process *process)
{
	size_t i;

	process->nstacks = 0;
	process->stacks = profile__alloc(profile, process->nlines, sizeof(*process->stacks));
	if (!process->stacks)
		return -ENOMEM;
	for (i = 0; i < process->nlines; i++)
		process->stacks[i] = (struct profile_stack){
			.nframes = 1,
			.frames = &process->lines[i].location,
			.values = process->lines[i].values,
			.change = process->lines[i].change,
		};
	process->nstacks = process->nlines;
	return 0;
}

int filter__apply(const struct filter *filter, struct profile *profile,
		  struct profile_process *process, enum line_order order)
{
	size_t i;
	int err;

	for (i = 0; i < process->nlines; i++)
		find_function(process, &process->lines[i]);
	merge_lines(&profile->schema, process);
	err = select_functions(filter, profile, process);
	if (err)
		return err;
	if (profile->sums_callers) {
		profile__sort_lines(profile, process, order);
		return 0;
	}
	profile__add_up(profile, process, order);
	return make_stacks(profile, process);
}
