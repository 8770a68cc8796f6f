/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of text on the terminal. */
#ifndef SCREEN_H
#define SCREEN_H

/* Columns that a text takes. */
int screen__columns(const char *text);

/* Puts what fits of a text into row *y, and goes on to the next row. Below the last row, nothing.
 */
void screen__put(int *y, const char *text);

/* Puts a text, a path and what follows that, as screen__put() does. Where they have no room, the
 * path's beginning goes, by whole folders; its file's name and what follows stay. */
void screen__put_path(int *y, const char *text, const char *path, const char *after);

#endif /* SCREEN_H */
