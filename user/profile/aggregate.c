// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/aggregate.h"

static void keep_most(uint64_t *to, uint64_t level)
{
	if (level > *to)
		*to = level;
}

static void add(struct values *to, const struct site_counters *count, bool levels)
{
	to->outstanding_bytes += count->allocated_bytes - count->freed_bytes;
	to->outstanding_count += count->allocated_count - count->freed_count;
	to->allocated_bytes += count->allocated_bytes;
	to->allocated_count += count->allocated_count;
	if (levels) {
		keep_most(&to->mapped_bytes, count->mapped_bytes);
		to->mapped_count += count->mapped_count;
		return;
	}
	to->mapped_bytes += count->mapped_bytes - count->unmapped_bytes;
	to->mapped_count += count->mapped_count - count->unmapped_count;
}

static bool is_zero(const struct values *values)
{
	return !values->allocated_count && !values->mapped_count && !values->mapped_bytes;
}

static int descending(int64_t a, int64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int by_size(const struct values *a, const struct values *b)
{
	int order = descending(a->outstanding_bytes, b->outstanding_bytes);

	if (!order)
		order = descending(a->mapped_bytes, b->mapped_bytes);
	return order ? order : descending(a->allocated_bytes, b->allocated_bytes);
}

static int compare_lines_by_outstanding(const void *a, const void *b)
{
	const struct profile_line *x = a, *y = b;
	int order = by_size(&x->values, &y->values);

	return order ? order : profile_line__compare(x, y);
}

static int compare_lines_by_increment(const void *a, const void *b)
{
	const struct profile_line *x = a, *y = b;
	int order = descending(x->increment_bytes, y->increment_bytes);

	return order ? order : compare_lines_by_outstanding(a, b);
}

static int compare_stacks(const void *a, const void *b)
{
	const struct profile_stack *x = a, *y = b;

	return by_size(&x->values, &y->values);
}

int aggregate__init(struct aggregate *aggregate, const struct stack_table *stacks,
		    const struct snapshot *now, const struct snapshot *before, bool levels)
{
	static const struct site_counters zero;
	const struct site_counters *old;
	const struct stack *stack;
	struct profile_line *line;
	int64_t increment;
	ssize_t index;
	size_t site;

	aggregate->lines = calloc(stack_table__line_count(stacks) + 1, sizeof(*aggregate->lines));
	aggregate->stacks = calloc(stack_table__count(stacks) + 1, sizeof(*aggregate->stacks));
	if (!aggregate->lines || !aggregate->stacks)
		return -ENOMEM;
	for (site = 1; site < now->nsites; site++) {
		index = stack_table__of_site(stacks, site);
		if (index < 0)
			continue;
		old = before && site < before->nsites ? &before->sites[site] : &zero;
		stack = stack_table__get(stacks, index);
		line = &aggregate->lines[stack->line];
		add(&aggregate->stacks[index].values, &now->sites[site], levels);
		add(&line->values, &now->sites[site], levels);
		increment = (now->sites[site].allocated_bytes - old->allocated_bytes) -
			    (now->sites[site].freed_bytes - old->freed_bytes);
		line->increment_bytes += increment;
		aggregate->stacks[index].increment_bytes += increment;
		line->increment_count += (now->sites[site].allocated_count - old->allocated_count) -
					 (now->sites[site].freed_count - old->freed_count);
	}
	return 0;
}

void aggregate__free(struct aggregate *aggregate)
{
	free(aggregate->lines);
	free(aggregate->stacks);
}

void aggregate__add_up(struct profile_process *process, enum line_order order)
{
	struct values *total = &process->total;
	const struct profile_line *line;
	size_t i;

	memset(total, 0, sizeof(*total));
	process->increment_bytes = 0;
	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		total->outstanding_bytes += line->values.outstanding_bytes;
		total->outstanding_count += line->values.outstanding_count;
		total->allocated_bytes += line->values.allocated_bytes;
		total->allocated_count += line->values.allocated_count;
		total->mapped_bytes += line->values.mapped_bytes;
		total->mapped_count += line->values.mapped_count;
		process->increment_bytes += line->increment_bytes;
	}
	qsort(process->lines, process->nlines, sizeof(*process->lines),
	      order == BY_INCREMENT ? compare_lines_by_increment : compare_lines_by_outstanding);
}

void aggregate__fill(const struct aggregate *aggregate, const struct stack_table *stacks, size_t id,
		     enum line_order order, struct profile_process *process)
{
	size_t i;

	for (i = 0; i < stack_table__line_count(stacks); i++) {
		const struct line *line = stack_table__line(stacks, i);
		struct profile_line *to = &process->lines[process->nlines];

		if (line->process != id || is_zero(&aggregate->lines[i].values))
			continue;
		*to = aggregate->lines[i];
		to->location = line->location;
		process->nlines++;
	}
	for (i = 0; i < stack_table__count(stacks); i++) {
		const struct stack *stack = stack_table__get(stacks, i);
		struct profile_stack *to = &process->stacks[process->nstacks];

		if (stack->process != id || is_zero(&aggregate->stacks[i].values))
			continue;
		*to = aggregate->stacks[i];
		to->nframes = stack->nframes;
		to->frames = stack->frames;
		process->nstacks++;
	}
	aggregate__add_up(process, order);
	qsort(process->stacks, process->nstacks, sizeof(*process->stacks), compare_stacks);
}
