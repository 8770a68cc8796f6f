// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render/renderers.h"

/* To add one, write its file and add a line here. */
#define RENDERERS(ENTRY) \
	ENTRY(report)    \
	ENTRY(folded)    \
	ENTRY(json)      \
	ENTRY(pprof)     \
	ENTRY(memory_profiler)

#define DECLARE(name) extern const struct renderer name##_renderer;
RENDERERS(DECLARE)

#define ENTER(name) &name##_renderer,
static const struct renderer *const renderers[] = {RENDERERS(ENTER)};

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
