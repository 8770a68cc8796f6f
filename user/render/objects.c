// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render/objects.h"
#include "render/renderers.h"

static const struct objects_renderer *get(size_t i)
{
	static const struct objects_renderer *const all[] = {
		&objects_report_renderer, &objects_json_renderer, &objects_folded_renderer,
		&objects_svg_renderer,	  &objects_dot_renderer,
	};

	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

const struct objects_renderer *objects_renderer__find(const char *name)
{
	const struct objects_renderer *renderer;
	size_t i;

	for (i = 0; (renderer = get(i)); i++) {
		if (!strcmp(renderer->name, name))
			return renderer;
	}
	return NULL;
}

const struct objects_renderer *objects_renderer__of_file(const char *file)
{
	const struct objects_renderer *renderer;
	size_t i;

	for (i = 0; (renderer = get(i)); i++) {
		if (renderer->ending && file__ends_with(file, renderer->ending))
			return renderer;
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
