// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/subtract.h"

static int compare_frames(const struct location *x, const struct location *y)
{
	int order = x->line - y->line;

	if (!order)
		order = strcmp(x->file, y->file);
	return order ? order : strcmp(x->function, y->function);
}

static int compare_stacks(const void *a, const void *b)
{
	const struct profile_stack *x = *(const struct profile_stack *const *)a;
	const struct profile_stack *y = *(const struct profile_stack *const *)b;
	size_t i;
	int order = 0;

	if (x->nframes != y->nframes)
		return x->nframes < y->nframes ? -1 : 1;
	for (i = 0; !order && i < x->nframes; i++)
		order = compare_frames(x->frames[i], y->frames[i]);
	return order;
}

static const struct profile_process *find_process(const struct profile *profile,
						  const struct profile_process *process)
{
	size_t i;

	for (i = 0; i < profile->nprocesses; i++) {
		if (profile->processes[i].pid == process->pid &&
		    !profile->processes[i].ended == !process->ended &&
		    profile->processes[i].parent == process->parent)
			return &profile->processes[i];
	}
	return NULL;
}

static int subtract_stacks(const struct schema *schema, struct profile_process *now,
			   const struct profile_process *before)
{
	auto_free const struct profile_stack **sorted =
		calloc(before->nstacks + 1, sizeof(*sorted));
	const struct profile_stack **found, *stack;
	size_t i;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < before->nstacks; i++)
		sorted[i] = &before->stacks[i];
	qsort(sorted, before->nstacks, sizeof(*sorted), compare_stacks);
	for (i = 0; i < now->nstacks; i++) {
		stack = &now->stacks[i];
		found = bsearch(&stack, sorted, before->nstacks, sizeof(*sorted), compare_stacks);
		if (found)
			now->stacks[i].values =
				values__difference(schema, &stack->values, &(*found)->values);
	}
	return 0;
}

int profile__subtract(struct profile *now, const struct profile *before)
{
	const struct profile_process *earlier;
	struct profile_process *process;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < now->nprocesses; i++) {
		process = &now->processes[i];
		earlier = find_process(before, process);
		if (!earlier)
			continue;
		err = subtract_stacks(&now->schema, process, earlier);
		process->total = values__difference(&now->schema, &process->total, &earlier->total);
		process->before_attach_bytes -= earlier->before_attach_bytes;
		process->unattributed_bytes -= earlier->unattributed_bytes;
		process->shared_before_bytes -= earlier->shared_before_bytes;
		process->shared_unattributed_bytes -= earlier->shared_unattributed_bytes;
	}
	return err;
}
