/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Renderers: from a profile to a stream. A new format is one new file, and one
 * line in render.c's table.
 */
#ifndef RENDER_H
#define RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "profile.h"

enum weight {
	WEIGHT_BYTES,		/* outstanding */
	WEIGHT_COUNT,		/* outstanding blocks */
	WEIGHT_ALLOCATED,	/* bytes allocated since the attach */
};

struct render_options {
	unsigned int top;	/* lines of a process */
	enum weight weight;
};

struct renderer {
	const char *name;
	const char *help;
	bool wants_sources;	/* the text of the lines that it shows */
	bool shows_lost;
	bool repeats;		/* several of its outputs can stand one after the other */

	/* 0 or -errno; errors of the stream itself are the caller's to find. */
	int (*render)(const struct profile *profile, const struct render_options *options,
		      FILE *out);
};

/* The one with that name, NULL if there is none. */
const struct renderer *renderer__find(const char *name);

/* The i-th, NULL past the last. */
const struct renderer *renderer__get(size_t i);

#endif /* RENDER_H */
