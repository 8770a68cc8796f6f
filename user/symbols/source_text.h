/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of targets' source files. */
#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stddef.h>

#include "target/readers.h"

/* Shared by who refers to it. */
struct source_text {
	unsigned int references;
	size_t nlines;
	char **lines; /* fit to be printed */
};

/*
 * Reads a file by the name that a target has for it, which is relative to cwd where it is
 * not absolute. NULL where it cannot be read.
 */
struct source_text *source_text__new(struct reader *reader, const char *cwd, const char *name);

/* One more reference; the same text. */
struct source_text *source_text__ref(struct source_text *text);

/* Gives a reference up, and frees with the last. NULL is allowed. */
void source_text__free(struct source_text *text);

#endif /* SOURCE_TEXT_H */
