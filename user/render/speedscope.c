// SPDX-License-Identifier: BSD-2-Clause
/* speedscope's own format (file-format-spec.ts there): frames once, then for each process its
 * stacks, the outermost frame first. From pprof it merges the lines of a function. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/format.h"
#include "base/json.h"
#include "render/renderer.h"
#include "render/weights.h"
#include "version.h"

/* Locations that stacks have, each once, by address; in one profile equal ones are the same. */
struct frames {
	const struct location **of;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct location *x = *(const struct location *const *)a;
	const struct location *y = *(const struct location *const *)b;

	return x < y ? -1 : x > y;
}

static int collect_frames(const struct profile *profile, struct frames *frames)
{
	struct profile_rest rests[PROFILE_RESTS];
	const struct profile_stack *stack;
	size_t p, i, k, n = 0, room = PROFILE_RESTS;

	for (p = 0; p < profile->nprocesses; p++) {
		for (i = 0; i < profile->processes[p].nstacks; i++)
			room += profile->processes[p].stacks[i].nframes;
	}
	frames->of = calloc(room, sizeof(const struct location *));
	if (!frames->of)
		return -ENOMEM;
	for (p = 0; p < profile->nprocesses; p++) {
		for (i = 0; i < profile->processes[p].nstacks; i++) {
			stack = &profile->processes[p].stacks[i];
			for (k = 0; k < stack->nframes; k++)
				frames->of[n++] = stack->frames[k];
		}
	}
	if (profile->counts_resident && profile->nprocesses) {
		profile_process__rests(profile, &profile->processes[0], rests);
		for (i = 0; i < PROFILE_RESTS; i++)
			frames->of[n++] = rests[i].location;
	}
	qsort(frames->of, n, sizeof(const struct location *), compare);
	for (i = 0; i < n; i++) {
		if (!frames->n || frames->of[frames->n - 1] != frames->of[i])
			frames->of[frames->n++] = frames->of[i];
	}
	return 0;
}

static void put_frames(struct json_writer *writer, const struct frames *frames)
{
	const struct location *location;
	size_t i;

	json__string(writer, "shared");
	json__open_map(writer);
	json__string(writer, "frames");
	json__open_array(writer);
	for (i = 0; i < frames->n; i++) {
		location = frames->of[i];
		json__open_map(writer);
		json__string_member(writer, "name",
				    location->function[0] ? location->function : location->file);
		json__string_member(writer, "file", location->file);
		if (location->line)
			json__integer_member(writer, "line", location->line);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__close_map(writer);
}

static void put_frame(struct json_writer *writer, const struct frames *frames,
		      const struct location *location)
{
	const struct location **found =
		bsearch(&location, frames->of, frames->n, sizeof(const struct location *), compare);

	json__integer(writer, found - frames->of);
}

/* A stack of locations, the innermost first, as a sample of the outermost first. */
static void put_sample(struct json_writer *writer, const struct frames *frames,
		       const struct location *const *stack, size_t n)
{
	json__open_array(writer);
	while (n-- > 0)
		put_frame(writer, frames, stack[n]);
	json__close_array(writer);
}

/* Weights follow the stacks, in the same order: both are gone through in the same way. put_weights:
 * which of them is written. Returns the sum. */
static int64_t put_samples(struct json_writer *writer, const struct profile *profile,
			   const struct profile_process *process, const struct frames *frames,
			   enum weight by, bool put_weights)
{
	struct profile_rest rests[PROFILE_RESTS];
	const struct profile_stack *stack;
	int64_t weight, sum = 0;
	size_t i;

	json__string(writer, put_weights ? "weights" : "samples");
	json__open_array(writer);
	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		weight = weight__of(&profile->schema, &stack->values, by);
		if (weight <= 0)
			continue;
		sum += weight;
		if (put_weights)
			json__integer(writer, weight);
		else
			put_sample(writer, frames, stack->frames, stack->nframes);
	}
	profile_process__rests(profile, process, rests);
	for (i = 0; profile->counts_resident && i < PROFILE_RESTS; i++) {
		weight = weight__of_rest(&rests[i], by);
		if (weight <= 0)
			continue;
		sum += weight;
		if (put_weights)
			json__integer(writer, weight);
		else
			put_sample(writer, frames, &rests[i].location, 1);
	}
	json__close_array(writer);
	return sum;
}

static int put_process(struct json_writer *writer, const struct profile *profile,
		       const struct profile_process *process, const struct frames *frames,
		       enum weight by)
{
	auto_free char *name = NULL;
	int length = process->program ? asprintf(&name, "%s", process->program)
				      : asprintf(&name, "%s %d", process->comm, process->pid);
	int64_t sum;

	if (length < 0) {
		name = NULL;
		return -ENOMEM;
	}
	json__open_map(writer);
	json__string_member(writer, "type", "sampled");
	json__text_member(writer, "name", name);
	json__string_member(writer, "unit", by == WEIGHT_COUNT ? "none" : "bytes");
	put_samples(writer, profile, process, frames, by, false);
	sum = put_samples(writer, profile, process, frames, by, true);
	json__integer_member(writer, "startValue", 0);
	json__integer_member(writer, "endValue", sum);
	json__close_map(writer);
	return 0;
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	struct json_writer *writer = json_writer__new(out);
	struct frames frames = {0};
	size_t i;
	int err = writer ? collect_frames(profile, &frames) : -ENOMEM, ended;

	if (!err) {
		json__open_map(writer);
		json__string_member(writer, "$schema",
				    "https://www.speedscope.app/file-format-schema.json");
		json__string_member(writer, "exporter", "pymemtop " PYMEMTOP_VERSION);
		json__string_member(writer, "name", profile->mode);
		put_frames(writer, &frames);
		json__string(writer, "profiles");
		json__open_array(writer);
	}
	for (i = 0; !err && i < profile->nprocesses; i++)
		err = put_process(writer, profile, &profile->processes[i], &frames,
				  options->weight);
	if (!err) {
		json__close_array(writer);
		json__close_map(writer);
	}
	free(frames.of);
	ended = writer ? json_writer__end(writer) : 0;
	return err ? err : ended == -ENOMEM ? -ENOMEM : 0;
}

const struct renderer speedscope_renderer = {
	.name = "speedscope",
	.ending = ".speedscope.json",
	.help = "for speedscope, each process on its own",
	.render = render,
};
