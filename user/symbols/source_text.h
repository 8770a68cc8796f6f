/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of targets' source files. */
#ifndef SOURCE_TEXT_H
#define SOURCE_TEXT_H

#include <stddef.h>

#include "target/readers.h"

struct source_text {
	size_t nlines;
	char **lines; /* fit to be printed */
};

/*
 * Reads a file by the name that a target has for it, which is relative to cwd where it is
 * not absolute. NULL where it cannot be read.
 */
struct source_text *source_text__new(struct reader *reader, const char *cwd, const char *name);
void source_text__free(struct source_text *text);

#endif /* SOURCE_TEXT_H */
