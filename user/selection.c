// SPDX-License-Identifier: BSD-2-Clause
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "selection.h"

bool file__is_library(const char *file)
{
	return file[0] == '<' || file[0] == '[' || strstr(file, "/site-packages/") ||
	       strstr(file, "/dist-packages/") || strstr(file, "/lib/python3");
}

static bool has_file(const struct selection *selection, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t i;

	if (!selection->nfiles)
		return !file__is_library(file);
	for (i = 0; i < selection->nfiles; i++) {
		if (!fnmatch(selection->files[i], file, 0) ||
		    (slash && !fnmatch(selection->files[i], slash + 1, 0)))
			return true;
	}
	return false;
}

static bool has_function(const struct selection *selection, const char *function)
{
	const char *dot = strrchr(function, '.');
	size_t i;

	if (!selection->nfunctions)
		return true;
	for (i = 0; i < selection->nfunctions; i++) {
		if (!strcmp(selection->functions[i], function) ||
		    (dot && !strcmp(selection->functions[i], dot + 1)))
			return true;
	}
	return false;
}

void selection__drop_files(const struct selection *selection, struct profile_process *process)
{
	size_t i, n = 0;

	for (i = 0; i < process->nlines; i++) {
		/* Line 0 is the module's beginning. */
		if (process->lines[i].place->line &&
		    has_file(selection, process->lines[i].place->file))
			process->lines[n++] = process->lines[i];
	}
	process->nlines = n;
}

static const struct functions *functions_of(const struct profile_process *process, const char *file)
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
	const struct functions *functions = functions_of(process, line->place->file);

	line->function = functions && strcmp(line->place->function, "<module>") ?
		functions__find(functions, line->place->line) : NULL;
}

/* What is nested in a function has run the same line of it. */
static void merge(struct profile_line *to, const struct profile_line *line)
{
	to->amounts.outstanding_bytes += line->amounts.outstanding_bytes;
	to->amounts.outstanding_count += line->amounts.outstanding_count;
	to->amounts.allocated_bytes += line->amounts.allocated_bytes;
	to->amounts.allocated_count += line->amounts.allocated_count;
	if (line->amounts.mapped_bytes > to->amounts.mapped_bytes)
		to->amounts.mapped_bytes = line->amounts.mapped_bytes;
	to->amounts.mapped_count += line->amounts.mapped_count;
	to->increment_bytes += line->increment_bytes;
	to->increment_count += line->increment_count;
}

static int compare_places(const void *a, const void *b)
{
	return profile_line__compare(a, b);
}

static void merge_lines(struct profile_process *process)
{
	size_t i, n = 0;

	qsort(process->lines, process->nlines, sizeof(*process->lines), compare_places);
	for (i = 0; i < process->nlines; i++) {
		if (n && !profile_line__compare(&process->lines[n - 1], &process->lines[i]))
			merge(&process->lines[n - 1], &process->lines[i]);
		else
			process->lines[n++] = process->lines[i];
	}
	process->nlines = n;
}

void selection__apply(const struct selection *selection, enum line_order order,
		      struct profile_process *process, struct name *places)
{
	struct profile_line *line;
	size_t i, n = 0;

	for (i = 0; i < process->nlines; i++)
		find_function(process, &process->lines[i]);
	merge_lines(process);
	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		places[n] = *line->place;
		if (line->function)
			places[n].function = line->function->name;
		if (!has_function(selection, places[n].function))
			continue;
		process->lines[n] = *line;
		process->lines[n].place = &places[n];
		n++;
	}
	process->nlines = n;
	sums__add_up(process, order);
	for (i = 0; i < n; i++)
		process->stacks[i] = (struct profile_stack){
			.nframes = 1,
			.frames = &process->lines[i].place,
			.amounts = process->lines[i].amounts,
			.increment_bytes = process->lines[i].increment_bytes,
		};
	process->nstacks = n;
}
