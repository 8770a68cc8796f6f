/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes what differs between two profiles. */
#ifndef DIFFERENCES_H
#define DIFFERENCES_H

#include <stdio.h>

#include "profile/diff.h"

struct difference_set {
	const struct profile *before, *now;
	const char *before_file, *now_file;
	enum group_by by;
	struct differences differences;
};

struct differences_renderer {
	const char *name;
	const char *ending; /* of files that are written so; NULL: none */
	/* Writes all, or the first top rows. Returns 0 or -errno. */
	int (*render)(const struct difference_set *set, size_t top, FILE *out);
};

/* Return the renderer with that name, or for files that end so, or NULL. */
const struct differences_renderer *differences_renderer__find(const char *name);
const struct differences_renderer *differences_renderer__of_file(const char *file);

#endif /* DIFFERENCES_H */
