// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/cleanup.h"
#include "target/source_text.h"

/* Returns one line, with tabs as four blanks. */
static char *clean_line(const char *line, size_t length)
{
	char *wide = malloc(4 * length + 1), *to = wide, *clean;
	size_t i;

	if (!wide)
		return NULL;
	for (i = 0; i < length; i++) {
		if (line[i] == '\t')
			to += sprintf(to, "    ");
		else if (line[i] != '\r' && line[i] != '\f')
			*to++ = line[i];
	}
	clean = utf8_from_str((uint8_t *)wide, to - wide, 0);
	free(wide);
	return clean;
}

struct source_text *source_text__empty(void)
{
	struct source_text *text = calloc(1, sizeof(*text));

	if (text)
		text->references = 1;
	return text;
}

int source_text__add(struct source_text *text, char *line)
{
	char **more;

	if (line && text->nlines % 256 == 0) {
		more = reallocarray(text->lines, text->nlines + 256, sizeof(*more));
		if (!more) {
			free(line);
			return -ENOMEM;
		}
		text->lines = more;
	}
	if (!line)
		return -ENOMEM;
	text->lines[text->nlines++] = line;
	return 0;
}

static int split(struct source_text *text, const char *data, size_t size)
{
	const char *end = data + size, *next;
	int err = 0;

	for (; !err && data < end; data = next + 1) {
		next = memchr(data, '\n', end - data);
		if (!next)
			next = end;
		err = source_text__add(text, clean_line(data, next - data));
	}
	return err;
}

struct source_text *source_text__new(struct reader *reader, const char *cwd, const char *name)
{
	bool whole = name[0] == '/';
	struct source_text *text;
	auto_free char *data = NULL;
	char path[2 * PATH_MAX];
	double changed;
	size_t size;

	if (snprintf(path, sizeof(path), "%s%s%s", whole ? "" : cwd, whole ? "" : "/", name) >=
	    (int)sizeof(path))
		return NULL;
	data = reader__read(reader, path, &size, &changed);
	text = data ? source_text__empty() : NULL;
	if (text)
		text->changed = changed;
	if (text && split(text, data, size)) {
		source_text__free(text);
		text = NULL;
	}
	return text;
}

/* Whether the word stands there as a whole. */
static bool has_word(const char *line, const char *keyword, const char *name)
{
	size_t n = strlen(keyword), length = strcspn(name, " "); /* without NATIVE_THREAD */

	line += strspn(line, " ");
	if (!strncmp(line, "async ", 6))
		line += 6 + strspn(line + 6, " ");
	if (strncmp(line, keyword, n) != 0 || line[n] != ' ')
		return false;
	line += n + strspn(line + n, " ");
	return !strncmp(line, name, length) && !isalnum((unsigned char)line[length]) &&
	       line[length] != '_';
}

bool source_text__fits(const struct source_text *text, const char *function, int line)
{
	const char *name = strrchr(function, '.');
	int i;

	name = name ? name + 1 : function;
	if (line < 1 || (size_t)line > text->nlines)
		return false;
	if (!name[0] || name[0] == '<')
		return true;
	for (i = line; i > 0; i--) {
		if (has_word(text->lines[i - 1], "def", name) ||
		    has_word(text->lines[i - 1], "class", name))
			return true;
	}
	return false;
}

/* Going up from a class, over lines that begin with "@". */
static int first_decorator(const struct source_text *text, int line)
{
	const char *above;

	for (; line > 1; line--) {
		above = text->lines[line - 2];
		if (above[strspn(above, " ")] != '@')
			break;
	}
	return line;
}

int source_text__class(const struct source_text *text, const char *name, int line)
{
	int i, found = 0;

	for (i = line > 0 && (size_t)line < text->nlines ? line : (int)text->nlines; i > 0; i--) {
		if (!has_word(text->lines[i - 1], "class", name))
			continue;
		if (line > 0)
			return first_decorator(text, i);
		if (found)
			return 0;
		found = i;
	}
	return found ? first_decorator(text, found) : 0;
}

struct source_text *source_text__ref(struct source_text *text)
{
	text->references++;
	return text;
}

void source_text__free(struct source_text *text)
{
	size_t i;

	if (!text || --text->references)
		return;
	for (i = 0; i < text->nlines; i++)
		free(text->lines[i]);
	free(text->lines);
	free(text);
}
