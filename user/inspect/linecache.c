// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/dict_keys.h"
#include "inspect/linecache.h"
#include "inspect/namespace.h"
#include "inspect/text.h"

/* Modules, and files in the cache, that are looked at; characters of a file's name, and of a line;
 * and lines of a text. */
#define MOST_ENTRIES	65536
#define MOST_CHARACTERS 256
#define MOST_LINES	65536

/* PyVarObject: ob_size; PyListObject: ob_item. */
#define OBJECT_SIZE 16
#define LIST_ITEMS  24

/* PyTupleObject: ob_item, behind a hash from 3.14 on. An entry is (size, mtime, lines, full name);
 * one that was not loaded yet has a single item. */
#define TUPLE_ITEMS(minor) ((minor) >= 14 ? 32 : 24)
#define ENTRY_ITEMS	   4
#define ENTRY_LINES	   2

/* The address of the list of lines; 0: none. */
static uint64_t find_lines(const struct heap *heap, const char *file)
{
	const struct py_layout *layout = heap->rules.layout;
	uint64_t interp, modules, module, cache, entry, items;

	interp = memory__word(heap->memory,
			      heap->target->runtime + layout->runtime_interpreters_main);
	modules = interp ? memory__word(heap->memory, interp + layout->interp_modules) : 0;
	module = namespace__find(heap, modules, MOST_ENTRIES, "linecache");
	cache = module ? namespace__find(heap, module__dict(heap, module), MOST_ENTRIES, "cache")
		       : 0;
	entry = namespace__find(heap, cache, MOST_ENTRIES, file);
	items = entry + TUPLE_ITEMS(heap->rules.minor);
	if (!entry || memory__word(heap->memory, entry + OBJECT_SIZE) != ENTRY_ITEMS)
		return 0;
	return memory__word(heap->memory, items + ENTRY_LINES * sizeof(uint64_t));
}

/* A line as it is shown: without the line feed, and tabs as four blanks, both of which are escaped.
 * Frees what it is given; NULL: out of memory. */
static char *tidy(char *escaped)
{
	size_t length = escaped ? strlen(escaped) : 0;
	char *tidied = malloc(length + 1), *to = tidied;
	const char *at;

	for (at = escaped; tidied && at && *at;) {
		if (!strncmp(at, "\\x0a", 4)) {
			break;
		} else if (!strncmp(at, "\\x09", 4)) {
			to = stpcpy(to, "    ");
			at += 4;
		} else {
			*to++ = *at++;
		}
	}
	if (tidied)
		*to = '\0';
	free(escaped);
	return tidied;
}

static struct source_text *read_lines(const struct heap *heap, uint64_t list)
{
	uint64_t n = memory__word(heap->memory, list + OBJECT_SIZE), line, i;
	uint64_t items = memory__word(heap->memory, list + LIST_ITEMS);
	struct source_text *text = source_text__empty();
	bool cut;
	int err = text ? 0 : -ENOMEM;

	for (i = 0; !err && i < n && i < MOST_LINES; i++) {
		line = memory__word(heap->memory, items + i * sizeof(uint64_t));
		err = source_text__add(text, tidy(text__read(heap->memory, heap->rules.layout, line,
							     MOST_CHARACTERS, &cut)));
	}
	if (!err && text->nlines)
		return text;
	source_text__free(text);
	return NULL;
}

struct source_text *linecache__find(const struct target *target, pid_t pid, const char *file)
{
	struct heap heap = {.target = target, .rules = {.layout = &target->layout}};
	struct source_text *text = NULL;
	uint64_t lines;

	if (!target->has_layout || sscanf(target->version, "3.%u", &heap.rules.minor) != 1 ||
	    memory__new(address_space__of_process(pid), &heap.memory))
		return NULL;
	lines = find_lines(&heap, file);
	if (lines)
		text = read_lines(&heap, lines);
	memory__free(heap.memory);
	return text;
}
