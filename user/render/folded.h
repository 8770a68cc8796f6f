/* SPDX-License-Identifier: BSD-2-Clause */
/* What all folded stacks have in common. */
#ifndef FOLDED_H
#define FOLDED_H

#include <stdbool.h>
#include <stdio.h>

#include "symbols/code_objects.h"

/* Writes a name in a stack. Semicolons separate frames. The weight follows the last blank: blanks
 * in names do no harm. */
void folded__put_name(const char *text, FILE *out);

/* Writes a frame; follows: it is not the first. */
void folded__put_frame(const struct location *location, bool follows, FILE *out);

#endif /* FOLDED_H */
