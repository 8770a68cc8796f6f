// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/group.h"
#include "profile/own_code.h"

static const struct location nowhere = {.file = "", .function = ""};

/* Adds the values of a line, a stack or a process. */
static void add(struct groups *groups, const struct location *location,
		const struct profile_process *process, const struct values *values,
		const struct values *change, bool through)
{
	groups->groups[groups->n++] = (struct group){
		.location = *location,
		.process = process,
		.values = *values,
		.change = *change,
		.through = through,
	};
}

static void add_lines(const struct profile_process *process, enum group_by by,
		      struct groups *groups)
{
	const struct profile_line *line;
	struct location location;
	size_t i;

	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		location = *line->location;
		if (by != GROUP_LINE)
			location.line = 0;
		if (by == GROUP_FILE)
			location.function = "";
		add(groups, &location, process, &line->values, &line->change, false);
	}
}

/* What has no line of the program: it is further out than was recorded, or there is none. */
static const struct location *rest_of(const struct profile_stack *stack)
{
	static const struct location cut = {"[further out than what was recorded]", "", 0},
				     none = {"[no line of the program]", "", 0};
	const struct location *outermost =
		stack->nframes ? stack->frames[stack->nframes - 1] : &nowhere;

	return !strcmp(outermost->file, location__of_end(STACK_CUT)->file) ? &cut : &none;
}

static void add_own_lines(const struct profile *profile, const struct profile_process *process,
			  const struct own_code *code, struct groups *groups)
{
	const struct profile_stack *stack;
	size_t i, k;

	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		for (k = 0; k < stack->nframes &&
			    !location__is_own(code, process->cmdline, stack->frames[k]);
		     k++)
			;
		add(groups, k < stack->nframes ? stack->frames[k] : rest_of(stack), process,
		    &stack->values, &stack->change,
		    k > 0 && values__held(&profile->schema, &stack->values));
	}
}

static void add_process(const struct profile *profile, const struct profile_process *process,
			enum group_by by, const struct own_code *code, struct groups *groups)
{
	if (by == GROUP_PROCESS || by == GROUP_PROGRAM)
		add(groups, &nowhere, process, &process->total, &process->change, false);
	else if (by == GROUP_OWN_LINE)
		add_own_lines(profile, process, code, groups);
	else
		add_lines(process, by, groups);
}

/* What compares equal is one group. */
static int compare_keys(const void *a, const void *b, void *by)
{
	const struct group *x = a, *y = b;
	int order = strcmp(x->location.file, y->location.file);

	if (!order)
		order = strcmp(x->location.function, y->location.function);
	if (!order)
		order = x->location.line - y->location.line;
	if (!order && *(enum group_by *)by == GROUP_PROCESS)
		order = x->process->pid - y->process->pid;
	if (!order && *(enum group_by *)by == GROUP_PROGRAM)
		order = strcmp(x->process->cmdline, y->process->cmdline);
	return order;
}

static void merge(const struct profile *profile, enum group_by by, struct groups *groups)
{
	struct group *all = groups->groups;
	size_t i, n = 0;

	qsort_r(all, groups->n, sizeof(*all), compare_keys, &by);
	for (i = 0; i < groups->n; i++) {
		if (!n || compare_keys(&all[n - 1], &all[i], &by)) {
			all[n++] = all[i];
			continue;
		}
		values__add(&profile->schema, &all[n - 1].values, &all[i].values);
		values__add(&profile->schema, &all[n - 1].change, &all[i].change);
		all[n - 1].through |= all[i].through;
	}
	groups->n = n;
}

static int compare_by_value(const void *a, const void *b, void *schema)
{
	const struct group *x = a, *y = b;

	return values__compare(schema, &x->values, &y->values);
}

static int compare_by_change(const void *a, const void *b, void *schema)
{
	const struct group *x = a, *y = b;
	int64_t of_x = values__held(schema, &x->change), of_y = values__held(schema, &y->change);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return compare_by_value(a, b, schema);
}

int profile__group(const struct profile *profile, const struct profile_process *process,
		   enum group_by by, enum line_order order, const struct own_code *code,
		   struct groups *groups)
{
	const struct profile_process *first = process ? process : profile->processes;
	size_t n = process ? 1 : profile->nprocesses, most = n, i;

	for (i = 0; i < n; i++)
		most += first[i].nlines + first[i].nstacks;
	groups->n = 0;
	groups->groups = calloc(most + 1, sizeof(*groups->groups));
	if (!groups->groups)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		add_process(profile, &first[i], by, code, groups);
	merge(profile, by, groups);
	qsort_r(groups->groups, groups->n, sizeof(*groups->groups),
		order == BY_CHANGE ? compare_by_change : compare_by_value,
		(void *)&profile->schema);
	return 0;
}

void groups__free(struct groups *groups)
{
	free(groups->groups);
	groups->groups = NULL;
	groups->n = 0;
}
