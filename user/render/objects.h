/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes what inspect has found. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stddef.h>
#include <stdio.h>

#include "inspect/inspected.h"

struct objects_renderer {
	const char *name;
	const char *ending; /* of files that are written so; NULL: none */
	/* Writes n processes, without those that have ended; top: rows of each table. Returns 0 or
	 * -errno. */
	int (*render)(const struct inspected *all, size_t n, size_t top, FILE *out);
};

extern const struct objects_renderer objects_report_renderer, objects_json_renderer,
	objects_folded_renderer, objects_svg_renderer, objects_dot_renderer;

/* NULL: there is none of that name, or for files that end so. */
const struct objects_renderer *objects_renderer__find(const char *name);
const struct objects_renderer *objects_renderer__of_file(const char *file);

/* Of a name if one is given; else for files that end so, if one is given; else the report. NULL:
 * there is none of that name. */
const struct objects_renderer *objects_renderer__choose(const char *name, const char *file);

#endif /* OBJECTS_H */
