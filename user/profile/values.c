// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "profile/values.h"

static const char *const kinds[] = {
	[VALUE_BYTES] = "bytes",
	[VALUE_COUNT] = "count",
	[VALUE_CHANGE] = "change",
	[VALUE_LEVEL] = "level",
};

/* pprof's name, if it has one. */
static const char *const roles[] = {
	[ROLE_NONE] = "none",
	[ROLE_INUSE_BYTES] = "inuse_space",
	[ROLE_INUSE_COUNT] = "inuse_objects",
	[ROLE_ALLOC_BYTES] = "alloc_space",
	[ROLE_ALLOC_COUNT] = "alloc_objects",
	[ROLE_MAPPED_BYTES] = "mapped_space",
	[ROLE_MAPPED_COUNT] = "mapped_objects",
	[ROLE_ARENA_BYTES] = "arena_space",
};

static uint64_t counter_at(const struct site_counters *counters, size_t offset)
{
	return *(const uint64_t *)((const char *)counters + offset);
}

struct values values__of_counters(const struct schema *schema, const struct site_counters *counters)
{
	const struct value_type *type;
	struct values values = {0};
	size_t i;

	for (i = 0; i < schema->n; i++) {
		type = &schema->types[i];
		values.of[i] = counter_at(counters, type->counter) -
			       (type->less != type->counter ? counter_at(counters, type->less) : 0);
	}
	return values;
}

void values__add(const struct schema *schema, struct values *to, const struct values *values)
{
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (schema->types[i].kind != VALUE_LEVEL)
			to->of[i] += values->of[i];
		else if (values->of[i] > to->of[i])
			to->of[i] = values->of[i];
	}
}

struct values values__difference(const struct schema *schema, const struct values *now,
				 const struct values *before)
{
	struct values difference = {0};
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (schema->types[i].kind != VALUE_LEVEL)
			difference.of[i] = now->of[i] - before->of[i];
	}
	return difference;
}

int64_t values__held(const struct schema *schema, const struct values *values)
{
	return values->of[0] + values__get(schema, values, ROLE_MAPPED_BYTES);
}

bool values__are_zero(const struct schema *schema, const struct values *values)
{
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (values->of[i])
			return false;
	}
	return true;
}

bool values__hold(const struct schema *schema, const struct values *values)
{
	static const enum value_role in_use[] = {ROLE_INUSE_BYTES, ROLE_INUSE_COUNT,
						 ROLE_MAPPED_BYTES, ROLE_MAPPED_COUNT};
	size_t i;

	for (i = 0; i < sizeof(in_use) / sizeof(in_use[0]); i++) {
		if (values__get(schema, values, in_use[i]))
			return true;
	}
	return false;
}

bool values__are_arenas(const struct schema *schema, const struct values *values)
{
	struct values others = *values;
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (schema->types[i].role == ROLE_ARENA_BYTES)
			others.of[i] = 0;
	}
	return values__are_zero(schema, &others) && !values__are_zero(schema, values);
}

int values__compare(const struct schema *schema, const struct values *a, const struct values *b)
{
	int64_t of_a = values__held(schema, a), of_b = values__held(schema, b);
	size_t i;

	if (of_a != of_b)
		return of_a < of_b ? 1 : -1;
	for (i = 0; i < schema->n; i++) {
		if (a->of[i] != b->of[i])
			return a->of[i] < b->of[i] ? 1 : -1;
	}
	return 0;
}

int64_t values__get(const struct schema *schema, const struct values *values, enum value_role role)
{
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (schema->types[i].role == role)
			return values->of[i];
	}
	return 0;
}

struct text value__format(const struct value_type *type, int64_t value)
{
	return type->kind == VALUE_COUNT    ? format_count(value)
	       : type->kind == VALUE_CHANGE ? format_signed(value)
					    : format_bytes(value);
}

size_t schema__activity(const struct schema *schema)
{
	size_t i, last = 0;

	for (i = 0; i < schema->n; i++) {
		if (schema->types[i].title)
			last = i;
	}
	return last;
}

const char *value_kind__name(enum value_kind kind)
{
	return kinds[kind];
}

const char *value_role__name(enum value_role role)
{
	return roles[role];
}

static int find_name(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -EINVAL;
}

int value_kind__find(const char *name)
{
	return find_name(kinds, sizeof(kinds) / sizeof(kinds[0]), name);
}

int value_role__find(const char *name)
{
	return find_name(roles, sizeof(roles) / sizeof(roles[0]), name);
}
