/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A renderer: from a profile to a stream. A new format is one new file, and one line in
 * renderers.c.
 */
#ifndef RENDERER_H
#define RENDERER_H

#include <stdbool.h>
#include <stdio.h>

#include "profile/profile.h"

enum weight {
	WEIGHT_BYTES,	  /* outstanding */
	WEIGHT_COUNT,	  /* outstanding blocks */
	WEIGHT_ALLOCATED, /* bytes allocated since the attach */
};

struct render_options {
	unsigned int top; /* lines of a process */
	enum weight weight;
};

struct renderer {
	const char *name;
	const char *help;
	bool wants_sources; /* the text of the lines that it shows */
	bool shows_lost;
	bool by_line; /* for modes whose sites are lines, only */
	bool repeats; /* several of its outputs can stand one after the other */

	/* 0 or -errno; errors of the stream itself are the caller's to find. */
	int (*render)(const struct profile *profile, const struct render_options *options,
		      FILE *out);
};

#endif /* RENDERER_H */
