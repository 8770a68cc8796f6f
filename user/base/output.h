/* SPDX-License-Identifier: BSD-2-Clause */
/* Where results go: to stdout, or to a file that appears complete or not at all. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

struct output;

/* path NULL: stdout. Opens at once, so that an unwritable file is known before the work. 0 and the
 * output, or -errno, having said why. */
int output__new(const char *path, struct output **output);

FILE *output__stream(struct output *output);

/* Flushes what was written so far. 0 or -errno, having said why. */
int output__flush(struct output *output);

/* Puts the complete file in its place. 0 or -errno, having said why. */
int output__commit(struct output *output);

/* Writes all of an output by a function that returns 0 or -errno. 0 or -errno, having said why the
 * output cannot be written. */
int output__write(const char *path, int (*write)(const void *context, FILE *out),
		  const void *context);

/* Frees the output, and removes what was not committed. */
void output__free(struct output *output);

#endif /* OUTPUT_H */
