/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mode counts: a schema of values, and how to add them. */
#ifndef VALUES_H
#define VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "base/format.h"
#include "pymemtop.h"

enum value_kind {
	VALUE_BYTES,
	VALUE_COUNT,
	VALUE_CHANGE, /* bytes; can be negative */
	VALUE_LEVEL,  /* bytes at some time: the highest counts, not the sum */
};

/* What a value means in every mode, like pprof's sample types. */
enum value_role {
	ROLE_NONE,
	ROLE_INUSE_BYTES,
	ROLE_INUSE_COUNT,
	ROLE_ALLOC_BYTES,
	ROLE_ALLOC_COUNT,
	ROLE_MAPPED_BYTES,
	ROLE_MAPPED_COUNT,
	ROLE_ARENA_BYTES, /* shared by the small objects of many lines; part of no other value */
};

struct value_type {
	const char *name;  /* in json */
	const char *title; /* of its column in tables; NULL: no column */
	enum value_kind kind;
	enum value_role role;
	/* Offsets in struct site_counters: the value is the first minus the second, or if both are
	 * the same, the first. */
	size_t counter, less;
};

/* More than any mode has. */
#define MAX_VALUES 8

/*
 * A mode's values, in the order by which its lines are sorted, after values__held(). The first one
 * is in use; the last one with a title tells how much activity there was.
 */
struct schema {
	size_t n;
	struct value_type types[MAX_VALUES];
};

struct values {
	int64_t of[MAX_VALUES];
};

/* Returns the values of a site's counters. */
struct values values__of_counters(const struct schema *schema,
				  const struct site_counters *counters);

/* Adds values to others. A level becomes the higher of both. */
void values__add(const struct schema *schema, struct values *to, const struct values *values);

/* Returns now minus before; levels have no difference, and are 0. */
struct values values__difference(const struct schema *schema, const struct values *now,
				 const struct values *before);

/* What is held, by which lines are sorted: the first value, and what is mapped beside it. */
int64_t values__held(const struct schema *schema, const struct values *values);

/* Whether all of them are 0. */
bool values__are_zero(const struct schema *schema, const struct values *values);

/* Whether something is in use, by any of the values that tell. */
bool values__hold(const struct schema *schema, const struct values *values);

/* Whether there are only arenas: then the line itself holds nothing. */
bool values__are_arenas(const struct schema *schema, const struct values *values);

/* Compares by what is held, then by the first value that differs, the largest first: < 0, 0, > 0.
 */
int values__compare(const struct schema *schema, const struct values *a, const struct values *b);

/* Returns the value with that role, or 0 if the schema has none. */
int64_t values__get(const struct schema *schema, const struct values *values, enum value_role role);

/* Formats for people: "1.2 MiB", "1,234". */
struct text value__format(const struct value_type *type, int64_t value);

/* Returns the index of the last type with a title. */
size_t schema__activity(const struct schema *schema);

/* Their names in files: "bytes", "inuse_space". */
const char *value_kind__name(enum value_kind kind);
const char *value_role__name(enum value_role role);

/* Return the kind or role with that name, or -EINVAL. */
int value_kind__find(const char *name);
int value_role__find(const char *name);

#endif /* VALUES_H */
