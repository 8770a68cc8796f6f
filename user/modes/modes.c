// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "modes/modes.h"

/* To add one, write its file and add a line here. */
#define MODES(ENTRY)   \
	ENTRY(heap)    \
	ENTRY(objects) \
	ENTRY(rss)     \
	ENTRY(lines)

#define DECLARE(name) extern const struct mode name##_mode;
MODES(DECLARE)

#define ENTER(name) &name##_mode,
static const struct mode *const modes[] = {MODES(ENTER)};

const struct mode *mode__get(size_t i)
{
	return i < sizeof(modes) / sizeof(modes[0]) ? modes[i] : NULL;
}

const struct mode *mode__find(const char *name)
{
	const struct mode *mode;
	size_t i;

	for (i = 0; (mode = mode__get(i)); i++) {
		if (!strcmp(mode->name, name))
			return mode;
	}
	return NULL;
}
