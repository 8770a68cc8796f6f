/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of targets' source files. */
#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stddef.h>

#include "target/readers.h"

/* Shared by counted references. */
struct source_text {
	unsigned int references;
	size_t nlines;
	char **lines; /* printable */
};

/*
 * Reads a file by a target's name for it, which is relative to cwd if not absolute. Returns NULL if
 * it cannot be read.
 */
struct source_text *source_text__new(struct reader *reader, const char *cwd, const char *name);

/* Takes one more reference; returns the same text. */
struct source_text *source_text__ref(struct source_text *text);

/* Drops a reference, and frees with the last one. NULL is allowed. */
void source_text__free(struct source_text *text);

#endif /* SOURCE_TEXT_H */
