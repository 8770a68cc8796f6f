// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "profile/build.h"

/* The sums of all stacks of each line, and the changes of stacks, by index in the stack table. */
struct sums {
	struct values *line_values, *line_changes, *stack_changes;
	size_t *line_counts, *stack_counts; /* by process id: lines and stacks with values */
};

static void free_sums(struct sums *sums)
{
	free(sums->line_values);
	free(sums->line_changes);
	free(sums->stack_changes);
	free(sums->line_counts);
	free(sums->stack_counts);
}

static void add_stack(const struct build_input *input, struct sums *sums, size_t index)
{
	static const struct values zero;
	const struct stack *stack = stack_table__get(input->stacks, index);
	const struct totals *before = input->before;
	const struct values *now = &input->totals->of[index];
	struct values change;

	if (!stack)
		return;
	change = values__difference(input->schema, now,
				    before && index < before->n ? &before->of[index] : &zero);
	values__add(input->schema, &sums->line_values[stack->line], now);
	values__add(input->schema, &sums->line_changes[stack->line], &change);
	sums->stack_changes[index] = change;
	sums->stack_counts[stack->process] += !values__are_zero(input->schema, now);
}

static int sum_up(const struct build_input *input, struct sums *sums)
{
	size_t nlines = stack_table__line_count(input->stacks);
	size_t nstacks = stack_table__count(input->stacks), i;
	const struct line *line;

	sums->line_values = calloc(nlines + 1, sizeof(*sums->line_values));
	sums->line_changes = calloc(nlines + 1, sizeof(*sums->line_changes));
	sums->stack_changes = calloc(nstacks + 1, sizeof(*sums->stack_changes));
	sums->line_counts = calloc(MOST_IDS, sizeof(*sums->line_counts));
	sums->stack_counts = calloc(MOST_IDS, sizeof(*sums->stack_counts));
	if (!sums->line_values || !sums->line_changes || !sums->stack_changes ||
	    !sums->line_counts || !sums->stack_counts)
		return -ENOMEM;
	for (i = 0; i < nstacks; i++)
		add_stack(input, sums, i);
	for (i = 0; i < nlines; i++) {
		line = stack_table__line(input->stacks, i);
		if (line)
			sums->line_counts[line->process] +=
				!values__are_zero(input->schema, &sums->line_values[i]);
	}
	return 0;
}

/* The profile's copies of the stack table's locations, by the originals' addresses. Most frames
 * share few locations, and comparing names for each would cost more than all else. */
struct copies {
	struct {
		const struct location *of, *copy;
	} * slots;
	size_t size, used; /* size: a power of two, at least twice what is used */
};

static size_t find_slot(const struct copies *copies, const struct location *of)
{
	size_t slot = (uintptr_t)of * 0x9e3779b97f4a7c15ULL >> 20 & (copies->size - 1);

	while (copies->slots[slot].of && copies->slots[slot].of != of)
		slot = (slot + 1) & (copies->size - 1);
	return slot;
}

static int grow(struct copies *copies)
{
	struct copies more = {.size = copies->size ? 2 * copies->size : 1024, .used = copies->used};
	size_t i;

	more.slots = calloc(more.size, sizeof(*more.slots));
	if (!more.slots)
		return -ENOMEM;
	for (i = 0; i < copies->size; i++) {
		if (copies->slots[i].of)
			more.slots[find_slot(&more, copies->slots[i].of)] = copies->slots[i];
	}
	free(copies->slots);
	*copies = more;
	return 0;
}

/* Returns NULL if out of memory. */
static const struct location *copy_location(struct profile *profile, struct copies *copies,
					    const struct location *of)
{
	size_t slot;

	if (copies->size <= 2 * copies->used && grow(copies))
		return NULL;
	slot = find_slot(copies, of);
	if (!copies->slots[slot].of) {
		copies->slots[slot].copy = profile__location(profile, of);
		if (!copies->slots[slot].copy)
			return NULL;
		copies->slots[slot].of = of;
		copies->used++;
	}
	return copies->slots[slot].copy;
}

static const struct location **copy_frames(struct profile *profile, struct copies *copies,
					   const struct stack *stack)
{
	const struct location **frames = profile__alloc(profile, stack->nframes, sizeof(*frames));
	size_t i;

	for (i = 0; frames && i < stack->nframes; i++) {
		frames[i] = copy_location(profile, copies, stack->frames[i]);
		if (!frames[i])
			return NULL;
	}
	return frames;
}

/* What a line has of one type. line: its index in the stack table. */
struct line_type {
	__u32 line;
	struct profile_type type;
};

static int compare_line_types(const void *a, const void *b)
{
	const struct line_type *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->type.name, y->type.name);
}

static int compare_types(const void *a, const void *b)
{
	const struct profile_type *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Collects the snapshot's types by line, each once. Returns how many. */
static size_t collect_types(const struct build_input *input, struct line_type *types)
{
	const struct snapshot_type *from = input->now->types;
	size_t i, n = 0, to = 0;
	ssize_t stack;

	for (i = 0; i < input->now->ntypes; i++) {
		stack = stack_table__of_site(input->stacks, from[i].site);
		if (stack >= 0)
			types[n++] = (struct line_type){
				stack_table__get(input->stacks, stack)->line,
				{from[i].name, from[i].count, from[i].bytes},
			};
	}
	qsort(types, n, sizeof(*types), compare_line_types);
	for (i = 1; i < n; i++) {
		if (compare_line_types(&types[to], &types[i])) {
			types[++to] = types[i];
			continue;
		}
		types[to].type.count += types[i].type.count;
		types[to].type.bytes += types[i].type.bytes;
	}
	return n ? to + 1 : 0;
}

/* Gives a line its n types. Returns 0 or -ENOMEM. */
static int give_types(struct profile *profile, struct profile_line *line,
		      const struct line_type *types, size_t n)
{
	size_t i;

	line->types = profile__alloc(profile, n, sizeof(*line->types));
	if (!line->types)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		line->types[i] = types[i].type;
		line->types[i].name = profile__string(profile, types[i].type.name);
		if (!line->types[i].name)
			return -ENOMEM;
	}
	line->ntypes = n;
	qsort(line->types, n, sizeof(*line->types), compare_types);
	return 0;
}

/* by_line: the profile's lines, by index in the stack table. */
static int add_types(const struct build_input *input, struct profile *profile,
		     struct profile_line *const *by_line)
{
	auto_free struct line_type *types = calloc(input->now->ntypes + 1, sizeof(*types));
	size_t n, i, end;
	int err = 0;

	if (!types)
		return -ENOMEM;
	n = collect_types(input, types);
	for (i = 0; !err && i < n; i = end) {
		for (end = i + 1; end < n && types[end].line == types[i].line; end++)
			;
		if (by_line[types[i].line])
			err = give_types(profile, by_line[types[i].line], &types[i], end - i);
	}
	return err;
}

static int add_lines(const struct build_input *input, const struct sums *sums,
		     struct profile *profile, struct copies *copies,
		     struct profile_process *const *processes)
{
	const struct line *line;
	struct profile_process *process;
	size_t n = stack_table__line_count(input->stacks), i;
	auto_free struct profile_line **by_line = calloc(n + 1, sizeof(*by_line));
	struct profile_line *to;

	if (!by_line)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		line = stack_table__line(input->stacks, i);
		process = line ? processes[line->process] : NULL;
		if (!process || values__are_zero(input->schema, &sums->line_values[i]))
			continue;
		to = by_line[i] = &process->lines[process->nlines++];
		to->location = copy_location(profile, copies, line->location);
		to->values = sums->line_values[i];
		to->change = sums->line_changes[i];
		if (!to->location)
			return -ENOMEM;
	}
	return add_types(input, profile, by_line);
}

static int add_stacks(const struct build_input *input, const struct sums *sums,
		      struct profile *profile, struct copies *copies,
		      struct profile_process *const *processes)
{
	const struct stack *stack;
	struct profile_process *process;
	struct profile_stack *to;
	size_t i;

	for (i = 0; i < stack_table__count(input->stacks); i++) {
		stack = stack_table__get(input->stacks, i);
		process = stack ? processes[stack->process] : NULL;
		if (!process || values__are_zero(input->schema, &input->totals->of[i]))
			continue;
		to = &process->stacks[process->nstacks++];
		to->nframes = stack->nframes;
		to->frames = copy_frames(profile, copies, stack);
		to->values = input->totals->of[i];
		to->change = sums->stack_changes[i];
		if (!to->frames)
			return -ENOMEM;
	}
	return 0;
}

struct description {
	const char *comm; /* of COMM_LEN bytes */
	const char *cmdline, *python, *attribution;
	const struct cgroup *cgroup; /* NULL: of several processes */
};

/* Sets *to to the profile's copy, unless the text is empty. False: memory is short. */
static bool copy_given(struct profile *profile, const char *text, const char **to)
{
	*to = text[0] ? profile__string(profile, text) : NULL;
	return *to || !text[0];
}

static int describe(struct profile *profile, const struct description *description,
		    struct profile_process *process)
{
	char comm[COMM_LEN + 1] = "";

	memcpy(comm, description->comm, COMM_LEN);
	utf8_keep_ascii(comm);
	process->comm = profile__string(profile, comm);
	process->cmdline = profile__string(profile, description->cmdline);
	process->python = profile__string(profile, description->python);
	process->attribution = profile__string(profile, description->attribution);
	if (description->cgroup &&
	    (!copy_given(profile, description->cgroup->unit, &process->unit) ||
	     !copy_given(profile, description->cgroup->container, &process->container) ||
	     !copy_given(profile, description->cgroup->pod, &process->pod)))
		return -ENOMEM;
	return process->comm && process->cmdline && process->python && process->attribution
		       ? 0
		       : -ENOMEM;
}

static void count(const struct build_input *input, size_t id, struct profile_process *process)
{
	const struct process_counters *counters = &input->now->processes[id];
	const struct process_info *info = input->infos[id];
	int cause;

	process->pid = counters->pid;
	process->parent = counters->parent ? input->now->processes[counters->parent].pid : 0;
	process->state = counters->state;
	for (cause = 0; cause < LOST_CAUSES; cause++)
		process->lost[cause] = counters->lost[cause];
	process->rss_at_attach_bytes = info ? info->rss_at_attach : 0;
	if (info && counters->state == PROCESS_RUNNING) {
		process->rss_bytes = info->rss;
		process->rss_file_bytes = info->rss_file;
		process->rss_shared_bytes = info->rss_shared;
	}
	process->rss_anon_bytes = counters->anon_bytes;
	process->before_attach_bytes = counters->before_bytes;
	process->shared_bytes = counters->shared_bytes;
	process->shared_before_bytes = counters->shared_before_bytes;
	process->small_bytes = counters->small_bytes;
	if (input->at_peak && counters->peaks) {
		process->peak_bytes = counters->peak_bytes;
		process->peak_seconds = (double)counters->peak_ns / 1e9 - input->begin;
	}
	process->small_seen_seconds =
		counters->small_seen_ns
			? fmax((double)counters->small_seen_ns / 1e9 - input->begin, 0)
			: -1;
	process->small_before_bytes = counters->small_before_bytes;
	process->small_unattributed_bytes = counters->small_unattributed_bytes;
	process->small_arenas = counters->small_arenas;
	process->small_arena_size = counters->small_arena_size;
}

static void count_ended(const struct program *program, struct profile_process *process)
{
	int cause;

	process->ended = program->ended;
	process->parent = program->pid;
	process->state = PROCESS_EXITED;
	for (cause = 0; cause < LOST_CAUSES; cause++)
		process->lost[cause] = program->lost[cause];
	process->rss_anon_bytes = program->anon_bytes;
	process->before_attach_bytes = program->before_bytes;
	process->shared_before_bytes = program->shared_before_bytes;
}

/* A child that ended or executed something else before it allocated is not shown. */
static bool is_shown(const struct process_counters *counters, size_t nstacks)
{
	return counters->pid &&
	       (!counters->parent || nstacks || counters->state == PROCESS_RUNNING);
}

/* Makes room for a process, or for the ended ones of a program. Returns NULL if out of memory. */
static struct profile_process *add_process(const struct sums *sums, struct profile *profile,
					   size_t id, const struct description *description)
{
	struct profile_process *process = &profile->processes[profile->nprocesses++];

	process->lines = profile__alloc(profile, sums->line_counts[id], sizeof(*process->lines));
	process->stacks = profile__alloc(profile, sums->stack_counts[id], sizeof(*process->stacks));
	if (!process->lines || !process->stacks || describe(profile, description, process))
		return NULL;
	return process;
}

static int add_running(const struct build_input *input, const struct sums *sums,
		       struct profile *profile, size_t id, struct profile_process **by_id)
{
	const struct process_info *info = input->infos[id];
	const struct description description = {
		.comm = input->now->processes[id].comm,
		.cmdline = info ? info->cmdline : "",
		.python = info ? info->python : "",
		.attribution = info ? attribution__name(info->attribution) : "",
		.cgroup = info ? &info->cgroup : NULL,
	};

	by_id[id] = add_process(sums, profile, id, &description);
	if (!by_id[id])
		return -ENOMEM;
	count(input, id, by_id[id]);
	return 0;
}

static int add_ended(const struct sums *sums, struct profile *profile,
		     const struct program *program, size_t id, struct profile_process **by_id)
{
	const struct description description = {
		.comm = program->comm,
		.cmdline = program->cmdline,
		.python = program->python,
		.attribution = program->attribution,
	};

	by_id[id] = add_process(sums, profile, id, &description);
	if (!by_id[id])
		return -ENOMEM;
	count_ended(program, by_id[id]);
	return 0;
}

/* by_id receives where each process is. */
static int add_processes(const struct build_input *input, const struct sums *sums,
			 struct profile *profile, struct profile_process **by_id)
{
	size_t id, i, n = input->now->nprocesses, nprograms;
	const struct program *programs = programs__get(input->programs, &nprograms);
	int err = 0;

	profile->processes = profile__alloc(profile, n + nprograms, sizeof(*profile->processes));
	if (!profile->processes)
		return -ENOMEM;
	for (id = 1; !err && id < n; id++) {
		if (is_shown(&input->now->processes[id], sums->stack_counts[id]))
			err = add_running(input, sums, profile, id, by_id);
	}
	for (i = 0; !err && i < nprograms; i++) {
		if (programs[i].ended)
			err = add_ended(sums, profile, &programs[i], ENDED_OF(i), by_id);
	}
	return err;
}

static int compare_stacks(const void *a, const void *b, void *schema)
{
	const struct profile_stack *x = a, *y = b;

	return values__compare(schema, &x->values, &y->values);
}

static void find_unattributed(const struct schema *schema, struct profile_process *process)
{
	int64_t shared = process->shared_before_bytes +
			 values__get(schema, &process->total, ROLE_MAPPED_BYTES);

	process->unattributed_bytes = process->rss_anon_bytes - process->before_attach_bytes -
				      process->total.of[0] -
				      values__get(schema, &process->total, ROLE_ARENA_BYTES);
	/* What a process had at its end is what is on record. */
	if (process->state != PROCESS_RUNNING)
		process->shared_bytes = shared;
	process->shared_unattributed_bytes = process->shared_bytes - shared;
}

/* After the lines: sums them up, and finds what neither they nor the past explain. */
static void add_up(const struct build_input *input, struct profile *profile)
{
	struct profile_process *process;
	size_t i;

	for (i = 0; i < profile->nprocesses; i++) {
		process = &profile->processes[i];
		profile__add_up(profile, process, input->order);
		qsort_r(process->stacks, process->nstacks, sizeof(*process->stacks), compare_stacks,
			&profile->schema);
		if (input->counts_resident)
			find_unattributed(&profile->schema, process);
	}
}

static int fill(const struct build_input *input, struct sums *sums, struct profile *profile)
{
	auto_free struct profile_process **by_id = calloc(MOST_IDS, sizeof(*by_id));
	struct copies copies = {0};
	int err = by_id ? sum_up(input, sums) : -ENOMEM;

	if (!err)
		err = add_processes(input, sums, profile, by_id);
	if (!err)
		err = add_lines(input, sums, profile, &copies, by_id);
	if (!err)
		err = add_stacks(input, sums, profile, &copies, by_id);
	free(copies.slots);
	return err;
}

int profile__build(const struct build_input *input, struct profile **result)
{
	struct profile *profile = profile__new();
	struct sums sums = {0};
	int err;

	if (!profile)
		return -ENOMEM;
	profile->schema = *input->schema;
	profile->sums_callers = input->sums_callers;
	profile->counts_arenas = input->counts_arenas;
	profile->counts_small = input->counts_small;
	profile->counts_resident = input->counts_resident;
	profile->at_peak = input->at_peak;
	profile->time = time(NULL);
	profile->map_bytes = input->now->map_bytes;
	profile->duration_seconds = input->now->seconds;
	profile->interval_seconds = input->now->seconds - input->before_seconds;
	profile->host = profile__string(profile, input->host);
	profile->mode = profile__string(profile, input->mode);
	err = profile->host && profile->mode ? fill(input, &sums, profile) : -ENOMEM;
	free_sums(&sums);
	if (err) {
		profile__free(profile);
		return err;
	}
	add_up(input, profile);
	*result = profile;
	return 0;
}
