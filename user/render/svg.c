// SPDX-License-Identifier: BSD-2-Clause
/* A flame graph of a profile: all stacks, merged from their outermost frames on. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "render/flame.h"
#include "render/renderer.h"
#include "render/weights.h"

/* A stack, or what is no line's, and what it weighs. */
struct branch {
	const struct location *const *frames; /* leaf first */
	size_t nframes;
	uint64_t weight;
	int64_t blocks;
};

struct branches {
	struct branch *of;
	size_t n;
	uint64_t weight;
};

struct picture {
	const struct profile *profile;
	const struct render_options *options;
	struct flame *flame;
	bool says_blocks;
};

/* The frame of that number from the outermost; NULL: it has ended. */
static const struct location *frame_at(const struct branch *branch, size_t i)
{
	return i < branch->nframes ? branch->frames[branch->nframes - 1 - i] : NULL;
}

/* In a profile equal locations are the same pointer; the order is by name, so that pictures
 * compare. */
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

static int compare_branches(const void *a, const void *b)
{
	const struct branch *x = a, *y = b;
	int order = 0;
	size_t i;

	for (i = 0; !order && (i < x->nframes || i < y->nframes); i++)
		order = compare_frames(frame_at(x, i), frame_at(y, i));
	return order;
}

static enum flame_hue hue_of(const struct picture *picture, const struct location *location)
{
	if (!location->line && location->file[0] == '[')
		return HUE_OTHER;
	return location__is_own(picture->options->own_code, location) ? HUE_OWN : HUE_LIBRARY;
}

static int add_box(const struct picture *picture, const struct branches *branches, size_t from,
		   size_t to, size_t depth, uint64_t start, const char *name, enum flame_hue hue)
{
	struct flame_box box = {.depth = depth, .start = start, .hue = hue, .name = name};
	char detail[FORMAT_SIZE + 16] = "";
	int64_t blocks = 0;
	size_t i;

	for (i = from; i < to; i++) {
		box.weight += branches->of[i].weight;
		blocks += branches->of[i].blocks;
	}
	if (picture->says_blocks && blocks > 0)
		snprintf(detail, sizeof(detail), "%s blocks", format_count(blocks).s);
	box.detail = detail;
	return flame__add(picture->flame, &box);
}

static int add_frame(const struct picture *picture, const struct branches *branches, size_t from,
		     size_t to, size_t frame, size_t depth, uint64_t start)
{
	const struct location *location = frame_at(&branches->of[from], frame);
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
	return add_box(picture, branches, from, to, depth, start, name, hue_of(picture, location));
}

/* Adds what lies above a box: these branches, which are sorted, from a frame on. Stacks are at most
 * some hundred frames deep. */
static int add_above(const struct picture *picture, const struct branches *branches, size_t from,
		     size_t to, size_t frame, size_t depth, uint64_t start)
{
	const struct location *location;
	uint64_t weight;
	size_t next;
	int err = 0;

	for (; err >= 0 && from < to; from = next) {
		location = frame_at(&branches->of[from], frame);
		weight = 0;
		for (next = from; next < to && frame_at(&branches->of[next], frame) == location;
		     next++)
			weight += branches->of[next].weight;
		if (location) {
			err = add_frame(picture, branches, from, next, frame, depth, start);
			if (err > 0)
				err = add_above(picture, branches, from, next, frame + 1, depth + 1,
						start);
		}
		start += weight;
	}
	return err < 0 ? err : 0;
}

/* Takes a process's stacks, and what is no line's. Returns 0 or -ENOMEM. */
static int take_branches(const struct picture *picture, const struct profile_process *process,
			 struct profile_rest rests[PROFILE_RESTS],
			 const struct location *names[PROFILE_RESTS], struct branches *branches)
{
	const struct schema *schema = &picture->profile->schema;
	enum weight by = picture->options->weight;
	const struct profile_stack *stack;
	struct branch *branch;
	int64_t weight;
	size_t i, n = process->nstacks + PROFILE_RESTS;

	branches->of = calloc(n, sizeof(*branches->of));
	if (!branches->of)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		branch = &branches->of[branches->n];
		if (i < process->nstacks) {
			stack = &process->stacks[i];
			weight = weight__of(schema, &stack->values, by);
			*branch = (struct branch){stack->frames, stack->nframes, weight,
						  values__get(schema, &stack->values,
							      ROLE_INUSE_COUNT)};
		} else {
			names[i - process->nstacks] = rests[i - process->nstacks].location;
			weight = weight__of_rest(&rests[i - process->nstacks], by);
			*branch = (struct branch){&names[i - process->nstacks], 1, weight, 0};
		}
		if (weight <= 0)
			continue;
		branches->weight += weight;
		branches->n++;
	}
	qsort(branches->of, branches->n, sizeof(*branches->of), compare_branches);
	return 0;
}

struct part {
	struct branches branches;
	struct profile_rest rests[PROFILE_RESTS];
	const struct location *names[PROFILE_RESTS];
};

static int add_process(const struct picture *picture, const struct profile_process *process,
		       const struct part *part, size_t depth, uint64_t start)
{
	auto_free char *comm =
		utf8_from_str((const uint8_t *)process->comm, strlen(process->comm), 0);
	auto_free char *name = NULL;
	const struct branches *branches = &part->branches;
	int err = process->ended ? asprintf(&name, "%s [children of %d that have ended]",
					    comm ?: "?", process->parent)
				 : asprintf(&name, "%s %d", comm ?: "?", process->pid);

	if (err < 0) {
		name = NULL;
		return -ENOMEM;
	}
	err = add_box(picture, branches, 0, branches->n, depth, start, name, HUE_OTHER);
	return err > 0 ? add_above(picture, branches, 0, branches->n, 0, depth + 1, start) : err;
}

static int draw(struct picture *picture, const struct part *parts, uint64_t total)
{
	const struct profile *profile = picture->profile;
	bool several = profile->nprocesses > 1;
	uint64_t start = 0;
	size_t p;
	int err = 0;

	if (several)
		err = flame__add(picture->flame, &(struct flame_box){.weight = total,
								     .hue = HUE_OTHER,
								     .name = "all",
								     .detail = ""});
	for (p = 0; err >= 0 && p < profile->nprocesses; p++) {
		err = add_process(picture, &profile->processes[p], &parts[p], several, start);
		start += parts[p].branches.weight;
	}
	return err < 0 ? err : 0;
}

static const char *const weight_titles[] = {
	[WEIGHT_BYTES] = "held",
	[WEIGHT_COUNT] = "blocks held",
	[WEIGHT_ALLOCATED] = "allocated since the attach",
};

static int write_picture(struct picture *picture, const struct part *parts, uint64_t total,
			 FILE *out)
{
	const struct profile *profile = picture->profile;
	enum weight by = picture->options->weight;
	auto_free char *title = NULL;
	int err = draw(picture, parts, total);

	if (err)
		return err;
	if (asprintf(&title, "pymemtop on %s: mode %s, %s, after %.1f s: %s %s", profile->host,
		     profile->mode, format_time(profile->time).s, profile->duration_seconds,
		     by == WEIGHT_COUNT ? format_count(total).s : format_bytes(total).s,
		     weight_titles[by]) < 0) {
		title = NULL;
		return -ENOMEM;
	}
	flame__write(picture->flame, title,
		     "Warm: the program's own code; blue: libraries; grey: no code.", out);
	return 0;
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	struct part *parts = calloc(profile->nprocesses + 1, sizeof(*parts));
	struct picture picture = {profile, options, NULL,
				  options->weight == WEIGHT_BYTES && !profile->counts_resident};
	uint64_t total = 0;
	size_t p;
	int err = parts ? 0 : -ENOMEM;

	for (p = 0; !err && p < profile->nprocesses; p++) {
		if (profile->counts_resident)
			profile_process__rests(profile, &profile->processes[p], parts[p].rests);
		err = take_branches(&picture, &profile->processes[p], parts[p].rests,
				    parts[p].names, &parts[p].branches);
		total += parts[p].branches.weight;
	}
	if (!err) {
		picture.flame = flame__new(total, options->weight != WEIGHT_COUNT, "blocks");
		err = picture.flame ? write_picture(&picture, parts, total, out) : -ENOMEM;
	}
	for (p = 0; parts && p < profile->nprocesses; p++)
		free(parts[p].branches.of);
	free(parts);
	flame__free(picture.flame);
	return err;
}

const struct renderer svg_renderer = {
	.name = "svg",
	.ending = ".svg",
	.help = "a flame graph for the browser, in one file: zoom, search",
	.render = render,
};
