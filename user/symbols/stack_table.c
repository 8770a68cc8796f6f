// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/stack_table.h"

/* Elements of the trees, which order them by content. */
struct indexed_stack {
	size_t index;
	size_t sites; /* number of sites with this stack */
	struct stack stack;
};

struct indexed_line {
	size_t index;
	size_t users; /* number of stacks with this leaf */
	struct line line;
};

/* What a site's record said. */
struct site {
	size_t stack; /* index + 1; 0: no such site */
	__u64 hash;
	size_t nframes; /* number of frames, if their code objects can die */
	struct code_at *frames;
};

struct stack_table {
	struct code_objects *codes;
	void *stack_tree, *line_tree; /* <search.h> trees */
	struct indexed_stack **stacks;
	struct indexed_line **lines;
	struct site *sites; /* by number */
	size_t nstacks, nlines, nsites;
	size_t *free_stacks, *free_lines; /* unused indexes */
	size_t nfree_stacks, nfree_lines;
};

struct stack_table *stack_table__new(void)
{
	struct stack_table *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return NULL;
	stacks->codes = code_objects__new();
	if (!stacks->codes) {
		free(stacks);
		return NULL;
	}
	return stacks;
}

void stack_table__free(struct stack_table *stacks)
{
	size_t i;

	if (!stacks)
		return;
	tdestroy(stacks->stack_tree, free);
	tdestroy(stacks->line_tree, free);
	for (i = 0; i < stacks->nsites; i++)
		free(stacks->sites[i].frames);
	free(stacks->sites);
	free(stacks->stacks);
	free(stacks->lines);
	free(stacks->free_stacks);
	free(stacks->free_lines);
	code_objects__free(stacks->codes);
	free(stacks);
}

static int compare(uintptr_t a, uintptr_t b)
{
	return a < b ? -1 : a > b;
}

/* Compares locations by address: there is one of each. */
static int compare_stacks(const void *a, const void *b)
{
	const struct stack *x = &((const struct indexed_stack *)a)->stack;
	const struct stack *y = &((const struct indexed_stack *)b)->stack;
	int order = compare(x->process, y->process);
	size_t i;

	if (!order)
		order = compare(x->nframes, y->nframes);
	for (i = 0; !order && i < x->nframes; i++)
		order = compare((uintptr_t)x->frames[i], (uintptr_t)y->frames[i]);
	return order;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = &((const struct indexed_line *)a)->line;
	const struct line *y = &((const struct indexed_line *)b)->line;
	int order = compare(x->process, y->process);

	return order ? order : compare((uintptr_t)x->location, (uintptr_t)y->location);
}

/* Makes room for one more in an array of n that grows by doubling. Returns 0 or -ENOMEM. */
static int grow(void *array, size_t n, size_t size)
{
	void **old = array, *more;

	if (n & (n - 1))
		return 0;
	more = reallocarray(*old, n ? 2 * n : 1, size);
	if (!more)
		return -ENOMEM;
	*old = more;
	return 0;
}

/* Returns the line's index, or -ENOMEM. */
static ssize_t index_line(struct stack_table *stacks, __u32 process,
			  const struct location *location)
{
	struct indexed_line *line = malloc(sizeof(*line)), **known;

	if (!line || grow(&stacks->lines, stacks->nlines, sizeof(*stacks->lines)))
		goto no_memory;
	line->line.process = process;
	line->line.location = location;
	known = tsearch(line, &stacks->line_tree, compare_lines);
	if (!known)
		goto no_memory;
	if (*known != line) {
		free(line);
		return (*known)->index;
	}
	line->users = 0;
	line->index =
		stacks->nfree_lines ? stacks->free_lines[--stacks->nfree_lines] : stacks->nlines++;
	stacks->lines[line->index] = line;
	return line->index;

no_memory:
	free(line);
	return -ENOMEM;
}

/* Takes ownership of the stack. Returns its index, or -ENOMEM. */
static ssize_t index_stack(struct stack_table *stacks, struct indexed_stack *stack)
{
	struct indexed_stack **known;
	ssize_t line;

	if (grow(&stacks->stacks, stacks->nstacks, sizeof(*stacks->stacks)))
		goto no_memory;
	known = tfind(stack, &stacks->stack_tree, compare_stacks);
	if (known) {
		free(stack);
		return (*known)->index;
	}
	line = index_line(stacks, stack->stack.process, stack->stack.frames[0]);
	if (line < 0 || !tsearch(stack, &stacks->stack_tree, compare_stacks))
		goto no_memory;
	stacks->lines[line]->users++;
	stack->stack.line = line;
	stack->sites = 0;
	stack->index = stacks->nfree_stacks ? stacks->free_stacks[--stacks->nfree_stacks]
					    : stacks->nstacks++;
	stacks->stacks[stack->index] = stack;
	return stack->index;

no_memory:
	free(stack);
	return -ENOMEM;
}

/* Returns the record's stack with names, or NULL if out of memory. */
static struct indexed_stack *name_stack(struct stack_table *stacks,
					const struct site_record *record)
{
	struct indexed_stack *stack =
		malloc(sizeof(*stack) + (record->nframes + 1) * sizeof(stack->stack.frames[0]));
	const struct location *location;
	bool skip;
	int i;

	if (!stack)
		return NULL;
	stack->stack.process = record->record.process;
	stack->stack.nframes = 0;
	for (i = 0; i < record->nframes; i++) {
		location = code_objects__resolve(stacks->codes, record->namer, &record->frames[i],
						 &skip);
		if (!location) {
			free(stack);
			return NULL;
		}
		if (!skip)
			stack->stack.frames[stack->stack.nframes++] = location;
	}
	if ((record->end == STACK_OF_WAITER || record->end == STACK_OF_LIKELY_WAITER) &&
	    stack->stack.nframes) {
		location = code_objects__mark_native(stacks->codes, stack->stack.frames[0],
						     record->end == STACK_OF_LIKELY_WAITER);
		if (!location) {
			free(stack);
			return NULL;
		}
		stack->stack.frames[0] = location;
	}
	location = location__of_end(record->end);
	if (!location && !stack->stack.nframes)
		location = location_native;
	if (location)
		stack->stack.frames[stack->stack.nframes++] = location;
	return stack;
}

static int note_site(struct stack_table *stacks, const struct site_record *record, size_t stack)
{
	size_t n = stacks->nsites ? stacks->nsites : 1024, i;
	struct site *more, *site;

	while (n <= record->site)
		n *= 2;
	if (n != stacks->nsites) {
		more = reallocarray(stacks->sites, n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memset(more + stacks->nsites, 0, (n - stacks->nsites) * sizeof(*more));
		stacks->sites = more;
		stacks->nsites = n;
	}
	site = &stacks->sites[record->site];
	stack_table__forget_site(stacks, record->site);
	*site = (struct site){.stack = stack + 1, .hash = record->hash};
	stacks->stacks[stack]->sites++;
	/* Names from markers do not die. */
	if (!record->namer)
		return 0;
	site->frames = calloc(record->nframes + 1, sizeof(*site->frames));
	if (!site->frames)
		return -ENOMEM;
	for (i = 0; i < record->nframes; i++)
		site->frames[i] = (struct code_at){
			.address = record->frames[i].code,
			.generation = record->frames[i].generation & ~FRAME_GENERATOR,
		};
	site->nframes = record->nframes;
	return 0;
}

static int add_site(struct stack_table *stacks, const struct site_record *record, size_t size)
{
	const size_t header = sizeof(*record) - sizeof(record->frames);
	struct indexed_stack *stack;
	ssize_t index;

	if (size < header || record->site >= MOST_SITES || record->nframes > MAX_FRAMES ||
	    record->end > STACK_BEFORE_ATTACH ||
	    size < header + record->nframes * sizeof(record->frames[0]))
		return 0;
	stack = name_stack(stacks, record);
	index = stack ? index_stack(stacks, stack) : -ENOMEM;
	return index < 0 ? (int)index : note_site(stacks, record, index);
}

int stack_table__add_record(struct stack_table *stacks, const void *data, size_t size)
{
	const struct record *record = data;

	if (size < sizeof(*record))
		return 0;
	switch (record->type) {
	case RECORD_SITE:
		return add_site(stacks, data, size);
	case RECORD_CODE:
		return code_objects__add_code(stacks->codes, data, size);
	case RECORD_CODE_PART:
		return code_objects__add_part(stacks->codes, data, size);
	case RECORD_INHERITED_CODE:
		return code_objects__add_inherited(stacks->codes, data, size);
	}
	return 0;
}

int stack_table__add_long_table(struct stack_table *stacks, const struct long_table *record,
				uint8_t *table)
{
	return code_objects__add_long_table(stacks->codes, record, table);
}

size_t stack_table__count(const struct stack_table *stacks)
{
	return stacks->nstacks;
}

const struct stack *stack_table__get(const struct stack_table *stacks, size_t i)
{
	return stacks->stacks[i] ? &stacks->stacks[i]->stack : NULL;
}

size_t stack_table__line_count(const struct stack_table *stacks)
{
	return stacks->nlines;
}

const struct line *stack_table__line(const struct stack_table *stacks, size_t i)
{
	return stacks->lines[i] ? &stacks->lines[i]->line : NULL;
}

size_t stack_table__site_count(const struct stack_table *stacks)
{
	return stacks->nsites;
}

ssize_t stack_table__of_site(const struct stack_table *stacks, size_t site)
{
	return site < stacks->nsites ? (ssize_t)stacks->sites[site].stack - 1 : -1;
}

__u64 stack_table__hash(const struct stack_table *stacks, size_t site)
{
	return stacks->sites[site].hash;
}

const struct code_at *stack_table__codes(const struct stack_table *stacks, size_t site, size_t *n)
{
	*n = stacks->sites[site].nframes;
	return stacks->sites[site].frames;
}

void stack_table__forget_site(struct stack_table *stacks, size_t number)
{
	struct site *site = &stacks->sites[number];

	if (site->stack)
		stacks->stacks[site->stack - 1]->sites--;
	free(site->frames);
	*site = (struct site){0};
}

/* Keeps an index for reuse; if out of memory, it stays unused. */
static void put_aside(size_t **list, size_t *n, size_t index)
{
	if (!grow(list, *n, sizeof(**list)))
		(*list)[(*n)++] = index;
}

static void remove_stack(struct stack_table *stacks, size_t index)
{
	struct indexed_stack *stack = stacks->stacks[index];
	struct indexed_line *line = stacks->lines[stack->stack.line];

	tdelete(stack, &stacks->stack_tree, compare_stacks);
	stacks->stacks[index] = NULL;
	put_aside(&stacks->free_stacks, &stacks->nfree_stacks, index);
	free(stack);
	if (--line->users)
		return;
	tdelete(line, &stacks->line_tree, compare_lines);
	stacks->lines[line->index] = NULL;
	put_aside(&stacks->free_lines, &stacks->nfree_lines, line->index);
	free(line);
}

ssize_t stack_table__move(struct stack_table *stacks, size_t index, __u32 process)
{
	const struct stack *from = &stacks->stacks[index]->stack;
	size_t size = sizeof(struct indexed_stack) + from->nframes * sizeof(from->frames[0]);
	struct indexed_stack *stack = malloc(size);
	ssize_t to;

	if (!stack)
		return -ENOMEM;
	memcpy(stack, stacks->stacks[index], size);
	stack->stack.process = process;
	to = index_stack(stacks, stack);
	if (to >= 0)
		remove_stack(stacks, index);
	return to;
}

bool stack_table__has_sites(const struct stack_table *stacks, size_t i)
{
	return stacks->stacks[i]->sites;
}

size_t stack_table__used(const struct stack_table *stacks)
{
	return stacks->nstacks - stacks->nfree_stacks;
}

ssize_t stack_table__forget(struct stack_table *stacks, size_t index)
{
	const struct stack *from = &stacks->stacks[index]->stack;
	struct indexed_stack *stack = malloc(sizeof(*stack) + sizeof(from->frames[0]));
	ssize_t to;

	if (!stack)
		return -ENOMEM;
	stack->stack.process = from->process;
	stack->stack.nframes = 1;
	stack->stack.frames[0] = location_forgotten;
	to = index_stack(stacks, stack);
	if (to >= 0 && (size_t)to != index)
		remove_stack(stacks, index);
	return to;
}

void stack_table__sweep(struct stack_table *stacks)
{
	const struct stack *stack;
	size_t i, k;

	code_objects__begin_sweep(stacks->codes);
	for (i = 0; i < stacks->nstacks; i++) {
		stack = stack_table__get(stacks, i);
		for (k = 0; stack && k < stack->nframes; k++)
			location__mark(stack->frames[k]);
	}
	code_objects__end_sweep(stacks->codes);
}

struct code_objects *stack_table__code_objects(const struct stack_table *stacks)
{
	return stacks->codes;
}
