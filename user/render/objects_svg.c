// SPDX-License-Identifier: BSD-2-Clause
/* What holds the memory, as a flame graph: each holder above the one that keeps it alive, as wide
 * as what it retains. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/format.h"
#include "render/flame.h"
#include "render/objects.h"

static int add_holders(struct flame *flame, const struct holder *in, unsigned int depth,
		       uint64_t start);

static int add_holder(struct flame *flame, const struct holder *holder, const struct holder *in,
		      unsigned int depth, uint64_t start)
{
	const char *path = holder__path_in(holder, in);
	auto_free char *name = NULL;
	char detail[2 * FORMAT_SIZE];
	int err;

	if (asprintf(&name, "%s%s%s", path, *path && *holder->type ? "  " : "", holder->type) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	snprintf(detail, sizeof(detail), "%s objects", format_count(holder->count).s);
	err = flame__add(flame, &(struct flame_box){
					.depth = depth,
					.start = start,
					.weight = holder->retained_bytes,
					.hue = holder->path[0] == '[' ? HUE_OTHER : HUE_OWN,
					.name = name,
					.detail = detail,
				});
	return err > 0 ? add_holders(flame, holder, depth + 1, start) : err;
}

static int add_holders(struct flame *flame, const struct holder *in, unsigned int depth,
		       uint64_t start)
{
	size_t i;
	int err = 0;

	for (i = 0; err >= 0 && i < in->nholders; i++) {
		err = add_holder(flame, &in->holders[i], in, depth, start);
		start += in->holders[i].retained_bytes;
	}
	return err < 0 ? err : 0;
}

static int add_process(struct flame *flame, const struct inspected *inspected, unsigned int depth,
		       uint64_t start)
{
	const struct holder *all = inspected->now->holders;
	char name[sizeof(inspected->comm) + 16], detail[2 * FORMAT_SIZE];
	int err;

	snprintf(name, sizeof(name), "%s %d", inspected->comm, inspected->pid);
	snprintf(detail, sizeof(detail), "%s objects", format_count(inspected->now->count).s);
	err = flame__add(flame, &(struct flame_box){
					.depth = depth,
					.start = start,
					.weight = all->retained_bytes,
					.hue = HUE_OTHER,
					.name = name,
					.detail = detail,
				});
	return err > 0 ? add_holders(flame, all, depth + 1, start) : err;
}

static int render(const struct inspected *all, size_t n, size_t top, FILE *out)
{
	struct flame *flame;
	uint64_t total = 0, start = 0;
	size_t i, processes = 0;
	char title[120];
	int err = 0;

	(void)top;
	for (i = 0; i < n; i++) {
		if (!all[i].now || !all[i].now->holders)
			continue;
		total += all[i].now->holders->retained_bytes;
		processes++;
	}
	flame = flame__new(total, true, "");
	if (!flame)
		return -ENOMEM;
	if (processes > 1)
		err = flame__add(flame, &(struct flame_box){.weight = total,
							    .hue = HUE_OTHER,
							    .name = "all",
							    .detail = ""});
	for (i = 0; err >= 0 && i < n; i++) {
		if (!all[i].now || !all[i].now->holders)
			continue;
		err = add_process(flame, &all[i], processes > 1, start);
		start += all[i].now->holders->retained_bytes;
	}
	snprintf(title, sizeof(title), "pymemtop inspect: what keeps %s alive",
		 format_bytes(total).s);
	if (err >= 0)
		flame__write(flame, title, "Grey: what only C code holds, or nothing.", out);
	flame__free(flame);
	return err < 0 ? err : 0;
}

const struct objects_renderer objects_svg_renderer = {
	.name = "svg",
	.ending = ".svg",
	.render = render,
};
