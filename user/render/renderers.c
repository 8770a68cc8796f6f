// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render/renderers.h"

extern const struct renderer report_renderer, folded_renderer, json_renderer,
	memory_profiler_renderer;

static const struct renderer *const renderers[] = {
	&report_renderer,
	&folded_renderer,
	&json_renderer,
	&memory_profiler_renderer,
};

const struct renderer *renderer__get(size_t i)
{
	return i < sizeof(renderers) / sizeof(renderers[0]) ? renderers[i] : NULL;
}

const struct renderer *renderer__find(const char *name)
{
	const struct renderer *renderer;
	size_t i;

	for (i = 0; (renderer = renderer__get(i)); i++) {
		if (!strcmp(renderer->name, name))
			return renderer;
	}
	return NULL;
}
