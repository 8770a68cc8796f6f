/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions a source file has, and which lines are theirs, from its text. Finds what Python's
 * inspect.getsourcelines() finds: from the first decorator to the last line of the body, including
 * comments that are indented like it.
 */
#ifndef DEF_RANGES_H
#define DEF_RANGES_H

#include <stddef.h>

#include "target/source_text.h"

struct def_range {
	char *name;	 /* qualified: "Class.method" */
	int first, last; /* lines, from 1 */
};

/* A file's outermost functions, in order; what is nested in one belongs to it. */
struct def_ranges {
	unsigned int references; /* number of users */
	size_t n;
	struct def_range *functions;
};

/* Returns NULL if out of memory. */
struct def_ranges *def_ranges__new(const struct source_text *text);

/* Takes one more reference; NULL is allowed. */
struct def_ranges *def_ranges__ref(struct def_ranges *functions);

/* Drops a reference, and frees with the last one. NULL is allowed. */
void def_ranges__free(struct def_ranges *functions);

/* Returns the function that the line is in, or NULL. */
const struct def_range *def_ranges__find(const struct def_ranges *functions, int line);

#endif /* DEF_RANGES_H */
