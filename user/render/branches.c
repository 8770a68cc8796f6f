// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/format.h"
#include "render/branches.h"
#include "render/weights.h"

struct drawing {
	const struct branches *branches;
	const struct own_code *own;
	const char *cmdline;
	struct flame *flame;
};

/* The frame of that number from the outermost; NULL: it has ended. */
static const struct location *frame_at(const struct branch *branch, size_t i)
{
	return i < branch->nframes ? branch->frames[branch->nframes - 1 - i] : NULL;
}

/* By name, so that pictures compare; in one profile equal locations are the same pointer. */
static int compare_frames(const struct location *a, const struct location *b)
{
	int order;

	if (a == b || !a || !b)
		return !!a - !!b;
	order = strcmp(a->function, b->function);
	if (!order)
		order = strcmp(a->file, b->file);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

int branch__compare(const struct branch *x, const struct branch *y)
{
	int order = 0;
	size_t i;

	for (i = 0; !order && (i < x->nframes || i < y->nframes); i++)
		order = compare_frames(frame_at(x, i), frame_at(y, i));
	return order;
}

static int compare_branches(const void *a, const void *b)
{
	return branch__compare(a, b);
}

static int add_branch(struct branches *branches, const struct location *const *frames,
		      size_t nframes, int64_t weight, int64_t blocks, bool before)
{
	struct branch *more;
	size_t room;

	if (weight <= 0)
		return 0;
	if (branches->n == branches->room) {
		room = 2 * branches->room + 256;
		more = reallocarray(branches->of, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		branches->of = more;
		branches->room = room;
	}
	branches->of[branches->n++] = (struct branch){
		.frames = frames,
		.nframes = nframes,
		.weight = before ? 0 : weight,
		.before = before ? weight : 0,
		.blocks = before ? 0 : blocks,
	};
	branches->weight += before ? 0 : weight;
	branches->before += before ? weight : 0;
	return 0;
}

/* Resident memory that is no line's, so that the sum is RssAnon and shared memory. */
static int add_rests(struct branches *branches, const struct profile *profile,
		     const struct profile_process *process, enum weight by, bool before)
{
	struct profile_rest rests[PROFILE_RESTS];
	const struct location **names;
	size_t i;
	int err = 0;

	if (!branches->names)
		branches->names = arena__new();
	names = branches->names ? arena__alloc(branches->names, PROFILE_RESTS, sizeof(*names))
				: NULL;
	if (!names)
		return -ENOMEM;
	profile_process__rests(profile, process, rests);
	for (i = 0; !err && i < PROFILE_RESTS; i++) {
		names[i] = rests[i].location;
		err = add_branch(branches, &names[i], 1, weight__of_rest(&rests[i], by), 0, before);
	}
	return err;
}

int branches__add(struct branches *branches, const struct profile *profile,
		  const struct profile_process *process, enum weight by, bool before)
{
	const struct schema *schema = &profile->schema;
	const struct profile_stack *stack;
	int64_t blocks;
	int err = 0;

	for (stack = process->stacks; !err && stack < process->stacks + process->nstacks; stack++) {
		/* Pages are no blocks, and where blocks are the weight, it says them. */
		blocks = profile->counts_resident || by != WEIGHT_BYTES
				 ? 0
				 : values__get(schema, &stack->values, ROLE_INUSE_COUNT);
		err = add_branch(branches, stack->frames, stack->nframes,
				 weight__of(schema, &stack->values, by), blocks, before);
	}
	return err || !profile->counts_resident ? err
						: add_rests(branches, profile, process, by, before);
}

void branches__free(struct branches *branches)
{
	arena__free(branches->names);
	free(branches->of);
	*branches = (struct branches){0};
}

void branches__sort(struct branches *branches)
{
	if (branches->n)
		qsort(branches->of, branches->n, sizeof(*branches->of), compare_branches);
}

static enum flame_hue hue_of(const struct drawing *drawing, const struct location *location)
{
	if (!location->line && location->file[0] == '[')
		return HUE_OTHER;
	return location__is_own(drawing->own, drawing->cmdline, location) ? HUE_OWN : HUE_LIBRARY;
}

static int add_box(const struct drawing *drawing, size_t from, size_t to, size_t depth,
		   uint64_t start, const char *name, enum flame_hue hue)
{
	struct flame_box box = {.depth = depth, .start = start, .hue = hue, .name = name};
	char detail[FORMAT_SIZE + 16] = "";
	int64_t blocks = 0;
	size_t i;

	for (i = from; i < to; i++) {
		box.weight += drawing->branches->of[i].weight;
		box.before += drawing->branches->of[i].before;
		blocks += drawing->branches->of[i].blocks;
	}
	if (blocks > 0)
		snprintf(detail, sizeof(detail), "%s blocks", format_count(blocks).s);
	box.detail = detail;
	return flame__add(drawing->flame, &box);
}

static int add_frame(const struct drawing *drawing, size_t from, size_t to, size_t frame,
		     size_t depth, uint64_t start)
{
	const struct location *location = frame_at(&drawing->branches->of[from], frame);
	auto_free char *name = NULL;
	int n;

	if (!location->line && location->file[0] == '[')
		n = asprintf(&name, "%s", location->file);
	else
		n = asprintf(&name, "%s (%s:%d)", location->function[0] ? location->function : "?",
			     location->file, location->line);
	if (n < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return add_box(drawing, from, to, depth, start, name, hue_of(drawing, location));
}

/* Adds what lies above a box: these branches, which are sorted, from a frame on. Stacks are at most
 * some hundred frames deep. */
static int add_above(const struct drawing *drawing, size_t from, size_t to, size_t frame,
		     size_t depth, uint64_t start)
{
	const struct location *location;
	uint64_t weight;
	size_t next;
	int err = 0;

	for (; err >= 0 && from < to; from = next) {
		location = frame_at(&drawing->branches->of[from], frame);
		weight = 0;
		for (next = from;
		     next < to &&
		     !compare_frames(frame_at(&drawing->branches->of[next], frame), location);
		     next++)
			weight += drawing->branches->of[next].weight;
		if (location) {
			err = add_frame(drawing, from, next, frame, depth, start);
			if (err > 0)
				err = add_above(drawing, from, next, frame + 1, depth + 1, start);
		}
		start += weight;
	}
	return err < 0 ? err : 0;
}

int branches__draw(const struct branches *branches, const struct own_code *own, const char *cmdline,
		   struct flame *flame, const char *name, unsigned int depth, uint64_t start)
{
	const struct drawing drawing = {branches, own, cmdline, flame};
	int err = add_box(&drawing, 0, branches->n, depth, start, name, HUE_OTHER);

	return err > 0 ? add_above(&drawing, 0, branches->n, 0, depth + 1, start) : err;
}
