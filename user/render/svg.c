// SPDX-License-Identifier: BSD-2-Clause
/* A flame graph of a profile: all stacks, merged from their outermost frames on. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "render/branches.h"

struct picture {
	const struct profile *profile;
	const struct render_options *options;
	struct flame *flame;
};

static int add_process(const struct picture *picture, const struct profile_process *process,
		       const struct branches *branches, size_t depth, uint64_t start)
{
	auto_free char *comm =
		utf8_from_str((const uint8_t *)process->comm, strlen(process->comm), 0);
	auto_free char *name = NULL;
	int err = process->program ? asprintf(&name, "%s", process->program)
		  : process->ended ? asprintf(&name, "%s [children of %d that have ended]",
					      comm ?: "?", process->parent)
				   : asprintf(&name, "%s %d", comm ?: "?", process->pid);

	if (err < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return branches__draw(branches, picture->options->own_code, process->cmdline,
			      picture->flame, name, depth, start);
}

static int draw(struct picture *picture, const struct branches *parts, uint64_t total)
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
		start += parts[p].weight;
	}
	return err < 0 ? err : 0;
}

static const char *const weight_titles[] = {
	[WEIGHT_BYTES] = "held",
	[WEIGHT_COUNT] = "blocks held",
	[WEIGHT_ALLOCATED] = "allocated since the attach",
};

static int write_picture(struct picture *picture, const struct branches *parts, uint64_t total,
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
	struct branches *parts = calloc(profile->nprocesses + 1, sizeof(*parts));
	struct picture picture = {profile, options, NULL};
	uint64_t total = 0;
	size_t p;
	int err = parts ? 0 : -ENOMEM;

	for (p = 0; !err && p < profile->nprocesses; p++) {
		err = branches__add(&parts[p], profile, &profile->processes[p], options->weight,
				    false);
		branches__sort(&parts[p]);
		total += parts[p].weight;
	}
	if (!err) {
		picture.flame = flame__new(total, options->weight != WEIGHT_COUNT, "blocks");
		err = picture.flame ? write_picture(&picture, parts, total, out) : -ENOMEM;
	}
	for (p = 0; parts && p < profile->nprocesses; p++)
		branches__free(&parts[p]);
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
