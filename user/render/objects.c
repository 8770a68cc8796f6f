// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render/objects.h"
#include "render/renderers.h"

static const struct objects_renderer *const all[] = {
	&objects_report_renderer, &objects_json_renderer, &objects_folded_renderer,
	&objects_svg_renderer,	  &objects_dot_renderer,
};

const struct objects_renderer *objects_renderer__find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!strcmp(all[i]->name, name))
			return all[i];
	}
	return NULL;
}

const struct objects_renderer *objects_renderer__of_file(const char *file)
{
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->ending && file__ends_with(file, all[i]->ending))
			return all[i];
	}
	return NULL;
}

const struct objects_renderer *objects_renderer__choose(const char *name, const char *file)
{
	const struct objects_renderer *renderer;

	if (name)
		return objects_renderer__find(name);
	renderer = file ? objects_renderer__of_file(file) : NULL;
	return renderer ?: objects_renderer__find("report");
}
