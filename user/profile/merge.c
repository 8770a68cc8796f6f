// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/merge.h"
#include "profile/program_name.h"

/* Of a process, the number of its program. */
struct member {
	char *name;
	size_t program;
};

static bool are_equal(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

/* Numbers programs in the order of their first processes. Returns how many there are. */
static size_t number_programs(const struct profile *profile, struct member *members)
{
	const struct profile_process *processes = profile->processes;
	size_t i, k, n = profile->nprocesses, programs = 0;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			/* What has ended has no container on record: it is its parent's. */
			if (!strcmp(members[k].name, members[i].name) &&
			    (processes[i].ended ||
			     are_equal(processes[k].container, processes[i].container)))
				break;
		}
		members[i].program = k < i ? members[k].program : programs++;
	}
	return programs;
}

/*
 * Lines and stacks, of which equal ones have the same locations.
 */

static int compare_locations(const void *a, const void *b)
{
	const struct profile_line *x = a, *y = b;

	return x->location < y->location ? -1 : x->location > y->location;
}

static int compare_frames(const void *a, const void *b)
{
	const struct profile_stack *x = a, *y = b;

	if (x->nframes != y->nframes)
		return x->nframes < y->nframes ? -1 : 1;
	return memcmp(x->frames, y->frames, x->nframes * sizeof(struct location *));
}

static int compare_names(const void *a, const void *b)
{
	const struct profile_type *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_bytes(const void *a, const void *b)
{
	const struct profile_type *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : compare_names(a, b);
}

/* Adds one line's types to another's. 0 or -ENOMEM. */
static int add_types(struct profile *profile, struct profile_line *to,
		     const struct profile_line *line)
{
	struct profile_type *types;
	size_t i, n = 0, all = to->ntypes + line->ntypes;

	if (!line->ntypes)
		return 0;
	types = profile__alloc(profile, all, sizeof(*types));
	if (!types)
		return -ENOMEM;
	if (to->ntypes)
		memcpy(types, to->types, to->ntypes * sizeof(*types));
	memcpy(types + to->ntypes, line->types, line->ntypes * sizeof(*types));
	qsort(types, all, sizeof(*types), compare_names);
	for (i = 0; i < all; i++) {
		if (n && !compare_names(&types[n - 1], &types[i])) {
			types[n - 1].count += types[i].count;
			types[n - 1].bytes += types[i].bytes;
		} else {
			types[n++] = types[i];
		}
	}
	qsort(types, n, sizeof(*types), compare_bytes);
	to->types = types;
	to->ntypes = n;
	return 0;
}

static int add_up_lines(struct profile *profile, struct profile_process *process)
{
	struct profile_line *line, *last = NULL;
	size_t i, n = 0;
	int err = 0;

	qsort(process->lines, process->nlines, sizeof(*process->lines), compare_locations);
	for (i = 0; !err && i < process->nlines; i++) {
		line = &process->lines[i];
		if (last && last->location == line->location) {
			values__add(&profile->schema, &last->values, &line->values);
			values__add(&profile->schema, &last->change, &line->change);
			err = add_types(profile, last, line);
		} else {
			last = &process->lines[n++];
			*last = *line;
		}
	}
	process->nlines = n;
	return err;
}

static int compare_held(const void *a, const void *b, void *schema)
{
	const struct profile_stack *x = a, *y = b;

	return values__compare(schema, &x->values, &y->values);
}

static void add_up_stacks(struct profile *profile, struct profile_process *process)
{
	struct profile_stack *stack, *last = NULL;
	size_t i, n = 0;

	qsort(process->stacks, process->nstacks, sizeof(*process->stacks), compare_frames);
	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		if (last && !compare_frames(last, stack)) {
			values__add(&profile->schema, &last->values, &stack->values);
			values__add(&profile->schema, &last->change, &stack->change);
		} else {
			last = &process->stacks[n++];
			*last = *stack;
		}
	}
	process->nstacks = n;
	qsort_r(process->stacks, n, sizeof(*process->stacks), compare_held, &profile->schema);
}

/*
 * All of a program.
 */

/* Sizes that add up. */
static void add_sizes(struct profile_process *to, const struct profile_process *process)
{
	int cause;

	to->rss_at_attach_bytes += process->rss_at_attach_bytes;
	to->rss_bytes += process->rss_bytes;
	to->rss_file_bytes += process->rss_file_bytes;
	to->rss_shared_bytes += process->rss_shared_bytes;
	to->rss_anon_bytes += process->rss_anon_bytes;
	to->before_attach_bytes += process->before_attach_bytes;
	to->unattributed_bytes += process->unattributed_bytes;
	to->shared_bytes += process->shared_bytes;
	to->shared_before_bytes += process->shared_before_bytes;
	to->shared_unattributed_bytes += process->shared_unattributed_bytes;
	to->small_bytes += process->small_bytes;
	to->small_before_bytes += process->small_before_bytes;
	to->small_unattributed_bytes += process->small_unattributed_bytes;
	to->small_arenas += process->small_arenas;
	to->peak_bytes += process->peak_bytes;
	for (cause = 0; cause < LOST_CAUSES; cause++)
		to->lost[cause] += process->lost[cause];
}

static void add_process(struct profile_process *to, const struct profile_process *process)
{
	/* It is described by one that runs, if there is one. */
	if (!to->members || (to->state != PROCESS_RUNNING && process->state == PROCESS_RUNNING)) {
		to->pid = process->pid;
		to->comm = process->comm;
		to->cmdline = process->cmdline;
		to->python = process->python;
		to->attribution = process->attribution;
		to->unit = process->unit;
		to->container = process->container;
		to->pod = process->pod;
		to->state = process->state;
		to->small_arena_size = process->small_arena_size;
		to->small_seen_seconds = process->small_seen_seconds;
	}
	to->members += process->ended ? process->ended : 1;
	to->running += process->state == PROCESS_RUNNING && !process->ended;
	memcpy(to->lines + to->nlines, process->lines, process->nlines * sizeof(*to->lines));
	memcpy(to->stacks + to->nstacks, process->stacks, process->nstacks * sizeof(*to->stacks));
	to->nlines += process->nlines;
	to->nstacks += process->nstacks;
	add_sizes(to, process);
}

static int merge(struct profile *profile, const struct member *members, size_t program,
		 enum line_order order, struct profile_process *to)
{
	size_t i, nlines = 0, nstacks = 0;
	int err;

	for (i = 0; i < profile->nprocesses; i++) {
		if (members[i].program != program)
			continue;
		nlines += profile->processes[i].nlines;
		nstacks += profile->processes[i].nstacks;
		if (!to->program)
			to->program = profile__string(profile, members[i].name);
	}
	to->lines = profile__alloc(profile, nlines + 1, sizeof(*to->lines));
	to->stacks = profile__alloc(profile, nstacks + 1, sizeof(*to->stacks));
	if (!to->program || !to->lines || !to->stacks)
		return -ENOMEM;
	for (i = 0; i < profile->nprocesses; i++) {
		if (members[i].program == program)
			add_process(to, &profile->processes[i]);
	}
	err = add_up_lines(profile, to);
	add_up_stacks(profile, to);
	profile__add_up(profile, to, order);
	return err;
}

static int compare_programs(const void *a, const void *b, void *schema)
{
	const struct profile_process *x = a, *y = b;
	int order = values__compare(schema, &x->total, &y->total);

	return order ? order : strcmp(x->program, y->program);
}

int profile__merge_programs(struct profile *profile, enum line_order order)
{
	auto_free struct member *members = calloc(profile->nprocesses + 1, sizeof(*members));
	struct profile_process *merged;
	size_t i, n;
	int err = members ? 0 : -ENOMEM;

	for (i = 0; !err && i < profile->nprocesses; i++) {
		members[i].name = program_name(&profile->processes[i]);
		err = members[i].name ? 0 : -ENOMEM;
	}
	n = err ? 0 : number_programs(profile, members);
	merged = err ? NULL : profile__alloc(profile, n + 1, sizeof(*merged));
	if (!err && !merged)
		err = -ENOMEM;
	if (!err)
		memset(merged, 0, (n + 1) * sizeof(*merged));
	for (i = 0; !err && i < n; i++)
		err = merge(profile, members, i, order, &merged[i]);
	if (!err) {
		qsort_r(merged, n, sizeof(*merged), compare_programs, &profile->schema);
		profile->processes = merged;
	}
	for (i = 0; members && i < profile->nprocesses; i++)
		free(members[i].name);
	if (!err)
		profile->nprocesses = n;
	return err;
}
