/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of targets' source files. */
#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "target/readers.h"

/* Shared by counted references. */
struct source_text {
	unsigned int references;
	double changed; /* when the file was, seconds since 1970 */
	size_t nlines;
	char **lines; /* printable */
};

/*
 * Reads a file by a target's name for it, which is relative to cwd if not absolute. Returns NULL if
 * it cannot be read.
 */
struct source_text *source_text__new(struct reader *reader, const char *cwd, const char *name);

/* Returns a text without lines, which are then added: a malloc'ed printable line is the text's from
 * then on, and NULL is -ENOMEM. Returns 0 or -ENOMEM. */
struct source_text *source_text__empty(void);
int source_text__add(struct source_text *text, char *line);

/* Whether a line can be one of a function, or of a class's body: it is defined there or above. Of
 * what has no name of its own, such as a module or a lambda, any line can be. */
bool source_text__fits(const struct source_text *text, const char *function, int line);

/* The line where a class of that name is defined, with its decorators: the nearest at that line or
 * above; line 0: the only one. 0: there is none. */
int source_text__class(const struct source_text *text, const char *name, int line);

/* Takes one more reference; returns the same text. */
struct source_text *source_text__ref(struct source_text *text);

/* Drops a reference, and frees with the last one. NULL is allowed. */
void source_text__free(struct source_text *text);

#endif /* SOURCE_TEXT_H */
