// SPDX-License-Identifier: BSD-2-Clause
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "profile/filter.h"

bool file__is_library(const char *file)
{
	return file[0] == '<' || file[0] == '[' || strstr(file, "/site-packages/") ||
	       strstr(file, "/dist-packages/") || strstr(file, "/lib/python3");
}

static bool has_file(const struct filter *filter, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t i;

	if (!filter->nfiles)
		return !file__is_library(file);
	for (i = 0; i < filter->nfiles; i++) {
		if (!fnmatch(filter->files[i], file, 0) ||
		    (slash && !fnmatch(filter->files[i], slash + 1, 0)))
			return true;
	}
	return false;
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
		/* Line 0 is the module's beginning. */
		if (process->lines[i].location->line &&
		    has_file(filter, process->lines[i].location->file))
			process->lines[n++] = process->lines[i];
	}
	process->nlines = n;
}

static const struct def_ranges *functions_of(const struct profile_process *process,
					     const char *file)
{
	size_t i;

	for (i = 0; i < process->nfiles; i++) {
		if (process->files[i].file == file)
			return process->files[i].functions;
	}
	return NULL;
}

/* The module runs the line that defines a function, too; that is not the function's. */
static void find_function(const struct profile_process *process, struct profile_line *line)
{
	const struct def_ranges *functions = functions_of(process, line->location->file);

	line->function = functions && strcmp(line->location->function, "<module>")
				 ? def_ranges__find(functions, line->location->line)
				 : NULL;
}

/* What is nested in a function has run the same line of it. */
static void merge(struct profile_line *to, const struct profile_line *line)
{
	to->values.outstanding_bytes += line->values.outstanding_bytes;
	to->values.outstanding_count += line->values.outstanding_count;
	to->values.allocated_bytes += line->values.allocated_bytes;
	to->values.allocated_count += line->values.allocated_count;
	if (line->values.mapped_bytes > to->values.mapped_bytes)
		to->values.mapped_bytes = line->values.mapped_bytes;
	to->values.mapped_count += line->values.mapped_count;
	to->increment_bytes += line->increment_bytes;
	to->increment_count += line->increment_count;
}

static int compare_locations(const void *a, const void *b)
{
	return profile_line__compare(a, b);
}

static void merge_lines(struct profile_process *process)
{
	size_t i, n = 0;

	qsort(process->lines, process->nlines, sizeof(*process->lines), compare_locations);
	for (i = 0; i < process->nlines; i++) {
		if (n && !profile_line__compare(&process->lines[n - 1], &process->lines[i]))
			merge(&process->lines[n - 1], &process->lines[i]);
		else
			process->lines[n++] = process->lines[i];
	}
	process->nlines = n;
}

void filter__apply(const struct filter *filter, enum line_order order,
		   struct profile_process *process, struct location *locations)
{
	struct profile_line *line;
	size_t i, n = 0;

	for (i = 0; i < process->nlines; i++)
		find_function(process, &process->lines[i]);
	merge_lines(process);
	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		locations[n] = *line->location;
		if (line->function)
			locations[n].function = line->function->name;
		if (!has_function(filter, locations[n].function))
			continue;
		process->lines[n] = *line;
		process->lines[n].location = &locations[n];
		n++;
	}
	process->nlines = n;
	aggregate__add_up(process, order);
	for (i = 0; i < n; i++)
		process->stacks[i] = (struct profile_stack){
			.nframes = 1,
			.frames = &process->lines[i].location,
			.values = process->lines[i].values,
			.increment_bytes = process->lines[i].increment_bytes,
		};
	process->nstacks = n;
}
