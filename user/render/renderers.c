// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render/renderers.h"

/* To add one, write its file and add a line here. */
#define RENDERERS(ENTRY)  \
	ENTRY(report)     \
	ENTRY(folded)     \
	ENTRY(json)       \
	ENTRY(pprof)      \
	ENTRY(svg)        \
	ENTRY(speedscope) \
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

bool file__ends_with(const char *file, const char *ending)
{
	size_t length = strlen(file), n = strlen(ending);

	return length > n && !strcmp(file + length - n, ending);
}

const struct renderer *renderer__of_file(const char *file)
{
	const struct renderer *renderer, *found = NULL;
	size_t i;

	/* The longest: some.speedscope.json also ends in .json. */
	for (i = 0; (renderer = renderer__get(i)); i++) {
		if (renderer->ending && file__ends_with(file, renderer->ending) &&
		    (!found || strlen(renderer->ending) > strlen(found->ending)))
			found = renderer;
	}
	return found;
}
