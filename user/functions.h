/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions a source file has, and which lines are theirs, by its text: as Python's
 * inspect.getsourcelines() finds them, so from the first decorator to the last line of the
 * body, comments that are indented like it included.
 */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stddef.h>

#include "sources.h"

struct function {
	char *name;	/* qualified: "Class.method" */
	int first, last;	/* lines, from 1 */
};

/* A file's outermost functions, in their order; what is nested in one is its own. */
struct functions {
	size_t n;
	struct function *functions;
};

/* NULL where memory is short. */
struct functions *functions__new(const struct source_text *text);
void functions__free(struct functions *functions);

/* The function that the line is in, NULL where it is in none. */
const struct function *functions__find(const struct functions *functions, int line);

#endif /* FUNCTIONS_H */
