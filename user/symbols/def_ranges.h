/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions a source file has, and which lines are theirs, by its text: as Python's
 * inspect.getsourcelines() finds them, so from the first decorator to the last line of the
 * body, comments that are indented like it included.
 */
#ifndef DEF_RANGES_H
#define DEF_RANGES_H

#include <stddef.h>

#include "symbols/source_text.h"

struct def_range {
	char *name;	 /* qualified: "Class.method" */
	int first, last; /* lines, from 1 */
};

/* A file's outermost functions, in their order; what is nested in one is its own. */
struct def_ranges {
	unsigned int references; /* shared by who refers to it */
	size_t n;
	struct def_range *functions;
};

/* NULL where memory is short. */
struct def_ranges *def_ranges__new(const struct source_text *text);

/* One more reference; NULL is allowed. */
struct def_ranges *def_ranges__ref(struct def_ranges *functions);

/* Gives a reference up, and frees with the last. NULL is allowed. */
void def_ranges__free(struct def_ranges *functions);

/* The function that the line is in, NULL where it is in none. */
const struct def_range *def_ranges__find(const struct def_ranges *functions, int line);

#endif /* DEF_RANGES_H */
