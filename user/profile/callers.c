// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/callers.h"

/* A frame of a stack. */
struct place {
	const struct location *location;
	const struct profile_stack *stack;
};

static bool is_module(const struct location *location)
{
	return !strcmp(location->function, "<module>");
}

static int compare_lines(const struct location *x, const struct location *y)
{
	/* In a profile, the same file is the same pointer. */
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (int)is_module(x) - (int)is_module(y);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = compare_lines(x->location, y->location);

	if (order || x->stack == y->stack)
		return order;
	return x->stack < y->stack ? -1 : 1;
}

/* The n places are of one line. */
static void add_line(const struct profile *profile, struct profile_line *line,
		     const struct place *places, size_t n)
{
	size_t i;

	line->location = places->location;
	for (i = 0; i < n; i++) {
		/* A name, where there is one. */
		if (line->location->function[0] == '<')
			line->location = places[i].location;
		if (i && places[i].stack == places[i - 1].stack)
			continue;
		values__add(&profile->schema, &line->values, &places[i].stack->values);
		values__add(&profile->schema, &line->change, &places[i].stack->change);
	}
}

static size_t collect_places(const struct profile_process *process, struct place *places)
{
	const struct profile_stack *stack;
	size_t i, j, n = 0;

	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		for (j = 0; j < stack->nframes; j++, n++) {
			if (places)
				places[n] = (struct place){stack->frames[j], stack};
		}
	}
	return n;
}

int callers__add(struct profile *profile, struct profile_process *process)
{
	size_t n = collect_places(process, NULL), i, end, lines = 0;
	auto_free struct place *places = calloc(n + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	collect_places(process, places);
	qsort(places, n, sizeof(*places), compare_places);
	for (i = 0; i < n; i++)
		lines += !i || compare_lines(places[i - 1].location, places[i].location);
	process->nlines = 0;
	process->lines = profile__alloc(profile, lines, sizeof(*process->lines));
	if (!process->lines)
		return -ENOMEM;
	for (i = 0; i < n; i = end) {
		for (end = i + 1;
		     end < n && !compare_lines(places[i].location, places[end].location); end++)
			;
		add_line(profile, &process->lines[process->nlines++], &places[i], end - i);
	}
	return 0;
}

static int compare_pointers(const void *a, const void *b)
{
	const struct profile_line *const *x = a, *const *y = b;

	return compare_lines((*x)->location, (*y)->location);
}

int callers__find_elsewhere(const struct profile *profile, struct profile_process *process)
{
	auto_free const struct profile_line **lines = calloc(process->nlines + 1, sizeof(*lines));
	const struct profile_stack *stack;
	struct profile_line key = {0}, *wanted = &key;
	size_t i, j;

	if (!lines)
		return -ENOMEM;
	for (i = 0; i < process->nlines; i++)
		lines[i] = &process->lines[i];
	qsort(lines, process->nlines, sizeof(*lines), compare_pointers);
	process->elsewhere_bytes = 0;
	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		for (j = 0; j < stack->nframes; j++) {
			key.location = stack->frames[j];
			if (bsearch(&wanted, lines, process->nlines, sizeof(*lines),
				    compare_pointers))
				break;
		}
		if (j == stack->nframes)
			process->elsewhere_bytes +=
				values__get(&profile->schema, &stack->values, ROLE_INUSE_BYTES);
	}
	return 0;
}
