// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "modes/modes.h"

extern const struct mode heap_mode, rss_mode, lines_mode;

static const struct mode *const modes[] = {
	&heap_mode,
	&rss_mode,
	&lines_mode,
};

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
