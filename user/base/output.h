/* SPDX-License-Identifier: BSD-2-Clause */
/* Where results go: stdout, or a file that is there whole or not at all. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

struct output;

/* path NULL: stdout. Opens at once, so that what cannot be written is known before
 * the work. 0 and the output, or -errno, having said why. */
int output__new(const char *path, struct output **output);

FILE *output__stream(struct output *output);

/* Hands on what was written so far. 0 or -errno, having said why. */
int output__flush(struct output *output);

/* All is written: puts the file in its place. 0 or -errno, having said why. */
int output__commit(struct output *output);

/* Frees; what was not committed is removed. */
void output__free(struct output *output);

#endif /* OUTPUT_H */
