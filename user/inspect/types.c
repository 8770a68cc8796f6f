// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/procfs.h"
#include "base/utf8.h"
#include "inspect/types.h"

/* Of one process: a program has some thousands. Pointers to anything else are remembered, too. */
#define MOST_TYPES 65536

/* PyObject and PyTypeObject in Include/object.h and Include/cpython/object.h, the same from 3.8 to
 * 3.15. */
#define OBJECT_TYPE	8
#define TYPE_NAME	24
#define TYPE_BASIC_SIZE 32

/* Where an object begins in its slot: at once; behind the garbage collector's head of two words; or
 * behind that and two more words (3.11 and later: its dict and weak references). */
static const size_t heads[] = {0, 16, 32};

#define LONGEST_NAME 96

static const char no_object[] = "(no object)";

struct type {
	uint64_t address;
	const char *name; /* no_object: not a type */
	char text[LONGEST_NAME];
};

struct type_table {
	pid_t pid;
	void *tree; /* a <search.h> tree */
	size_t n;
};

struct type_table *type_table__new(pid_t pid)
{
	struct type_table *types = calloc(1, sizeof(*types));

	if (types)
		types->pid = pid;
	return types;
}

void type_table__free(struct type_table *types)
{
	if (types)
		tdestroy(types->tree, free);
	free(types);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct type *)a)->address, y = ((const struct type *)b)->address;

	return x < y ? -1 : x > y;
}

static uint64_t word_at(const struct type_table *types, uint64_t address)
{
	uint64_t word;

	return proc_read(types->pid, address, &word, sizeof(word)) ? 0 : word;
}

/* A type's type is type, or a subclass of it; type's own type is itself. */
static bool is_type(const struct type_table *types, uint64_t address)
{
	uint64_t meta = word_at(types, address + OBJECT_TYPE);
	uint64_t above = meta ? word_at(types, meta + OBJECT_TYPE) : 0;
	int64_t size = word_at(types, address + TYPE_BASIC_SIZE);

	return above && word_at(types, above + OBJECT_TYPE) == above && size >= 16 &&
	       size < 1 << 20;
}

/* Reads the name up to its NUL, and makes it printable. Returns whether there is one. */
static bool read_name(const struct type_table *types, struct type *type)
{
	uint64_t name = word_at(types, type->address + TYPE_NAME);
	size_t n;

	/* Near the end of a mapping, read only 16 bytes. */
	if (!name || (proc_read(types->pid, name, type->text, LONGEST_NAME - 1) &&
		      proc_read(types->pid, name, type->text, 16)))
		return false;
	type->text[LONGEST_NAME - 1] = '\0';
	n = strlen(type->text);
	utf8_keep_ascii(type->text);
	return n > 0;
}

static const char *find_type(struct type_table *types, uint64_t address)
{
	const struct type key = {.address = address};
	struct type **known = tfind(&key, &types->tree, compare), *type;

	if (known)
		return (*known)->name;
	type = types->n < MOST_TYPES ? calloc(1, sizeof(*type)) : NULL;
	if (!type)
		return no_object;
	type->address = address;
	if (!tsearch(type, &types->tree, compare)) {
		free(type);
		return no_object;
	}
	types->n++;
	type->name = is_type(types, address) && read_name(types, type) ? type->text : no_object;
	return type->name;
}

const char *type_table__name(struct type_table *types, const uint8_t *slot, size_t size)
{
	uint64_t words[2];
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (heads[i] + sizeof(words) > size)
			break;
		memcpy(words, slot + heads[i], sizeof(words));
		/* A live object has references; and types are aligned. */
		if (!words[0] || words[1] < 4096 || words[1] & 7 || words[1] >= 1ULL << 52)
			continue;
		name = find_type(types, words[1]);
		if (name != no_object)
			return name;
	}
	return no_object;
}
