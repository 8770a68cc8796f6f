// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "render/folded.h"
#include "render/weights.h"

void folded__put_name(const char *text, FILE *out)
{
	for (; *text; text++)
		putc(*text == ';' ? ':' : *text, out);
}

void folded__put_frame(const struct location *location, bool follows, FILE *out)
{
	if (follows)
		putc(';', out);
	if (!location->line && location->file[0] == '[') {
		folded__put_name(location->file, out);
		return;
	}
	folded__put_name(location->function[0] ? location->function : "?", out);
	fputs(" (", out);
	folded__put_name(location->file, out);
	fprintf(out, ":%d)", location->line);
}

static void put_process(const struct profile_process *process, FILE *out)
{
	folded__put_name(process->program ? process->program : process->comm, out);
	if (process->program)
		return;
	if (process->ended)
		fprintf(out, " [children of %d that have ended]", process->parent);
	else
		fprintf(out, " %d", process->pid);
}

/* Writes resident memory that is no line's, so that the sum is RssAnon. */
static void put_rest(const struct profile_process *process, const struct profile_rest *rest,
		     enum weight weight, FILE *out)
{
	int64_t weighs = weight__of_rest(rest, weight);

	if (weighs <= 0)
		return;
	put_process(process, out);
	fprintf(out, ";%s %" PRId64 "\n", rest->location->file, weighs);
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	const struct profile_process *process;
	const struct profile_stack *stack;
	struct profile_rest rests[PROFILE_RESTS];
	int64_t weight;
	size_t p, i, k;

	for (p = 0; p < profile->nprocesses; p++) {
		process = &profile->processes[p];
		for (i = 0; i < process->nstacks; i++) {
			stack = &process->stacks[i];
			weight = weight__of(&profile->schema, &stack->values, options->weight);
			if (weight <= 0)
				continue;
			put_process(process, out);
			for (k = stack->nframes; k-- > 0;)
				folded__put_frame(stack->frames[k], true, out);
			fprintf(out, " %" PRId64 "\n", weight);
		}
		if (!profile->counts_resident)
			continue;
		profile_process__rests(profile, process, rests);
		for (i = 0; i < PROFILE_RESTS; i++)
			put_rest(process, &rests[i], options->weight, out);
	}
	return 0;
}

const struct renderer folded_renderer = {
	.name = "folded",
	.ending = ".folded",
	.help = "one line a stack, for flamegraph.pl, inferno and speedscope",
	.render = render,
};
