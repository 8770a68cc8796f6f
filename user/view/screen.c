// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <ncurses.h>

#include "view/screen.h"

/* The next character's bytes, and the columns that it takes on the screen. */
static size_t next_character(const char *text, mbstate_t *state, int *columns)
{
	wchar_t character;
	size_t n = mbrtowc(&character, text, MB_CUR_MAX, state);
	int width;

	if (n == (size_t)-1 || n == (size_t)-2) {
		memset(state, 0, sizeof(*state));
		*columns = 1;
		return 1;
	}
	width = wcwidth(character);
	*columns = width > 0 ? width : 0;
	return n;
}

int screen__columns(const char *text)
{
	mbstate_t state = {0};
	int all = 0, columns;

	while (*text) {
		text += next_character(text, &state, &columns);
		all += columns;
	}
	return all;
}

/* Bytes of a text that fit into a row. */
static int bytes_of_row(const char *text)
{
	mbstate_t state = {0};
	int all = 0, columns;
	const char *at = text;
	size_t n;

	for (; *at; at += n) {
		n = next_character(at, &state, &columns);
		all += columns;
		if (all > COLS)
			break;
	}
	return (int)(at - text);
}

void screen__put(int *y, const char *text)
{
	if (*y < LINES)
		mvaddnstr((*y)++, 0, text, bytes_of_row(text));
}

/* The end of a path that fits, from a folder on if there is one; the file's name always. */
static const char *shorten_path(const char *path, int columns)
{
	const char *at = path;

	while (screen__columns(at) > columns - 1 && (at = strchr(at + 1, '/')))
		path = at;
	return path;
}

void screen__put_path(int *y, const char *text, const char *path, const char *after)
{
	int room = COLS - screen__columns(text) - screen__columns(after);
	const char *end = screen__columns(path) > room ? shorten_path(path, room) : path;
	char row[4096];

	snprintf(row, sizeof(row), "%s%s%s%s", text, end == path ? "" : "\u2026", end, after);
	screen__put(y, row);
}
