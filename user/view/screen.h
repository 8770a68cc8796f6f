/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of text on the terminal. */
#ifndef SCREEN_H
#define SCREEN_H

/* Columns that a text takes. */
int screen__columns(const char *text);

/* Puts what fits of a text into row *y, and goes on to the next row. Below the last row, nothing.
 */
void screen__put(int *y, const char *text);

/* The end of a path that fits, from a folder on if there is one; the file's name always. */
const char *screen__shorten_path(const char *path, int columns);

#endif /* SCREEN_H */
