/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A renderer turns a profile into a stream. To add a format, write a file and add a line to
 * renderers.c.
 */
#ifndef RENDERER_H
#define RENDERER_H

#include <stdbool.h>
#include <stdio.h>

#include "profile/own_code.h"
#include "profile/profile.h"

enum weight {
	WEIGHT_BYTES,	  /* outstanding */
	WEIGHT_COUNT,	  /* outstanding blocks */
	WEIGHT_ALLOCATED, /* bytes allocated since the attach */
};

struct render_options {
	unsigned int top; /* lines of each process */
	enum weight weight;
	const struct own_code *own_code; /* NULL: by where files are */
};

struct renderer {
	const char *name;
	const char *help;
	const char *ending; /* of files that are written so; NULL: none */
	bool wants_sources; /* needs the text of the lines that it shows */
	bool shows_lost;
	bool by_line;	/* only for modes whose sites are lines */
	bool is_binary; /* not for a terminal */
	bool repeats;	/* several of its outputs can follow one another */

	/* Returns 0 or -errno. The caller checks the stream itself for errors. */
	int (*render)(const struct profile *profile, const struct render_options *options,
		      FILE *out);
};

#endif /* RENDERER_H */
