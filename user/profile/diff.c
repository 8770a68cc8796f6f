// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/diff.h"

bool profiles__compare(const struct profile *before, const struct profile *now, char *why,
		       size_t size)
{
	const struct schema *a = &before->schema, *b = &now->schema;
	size_t i;

	if (strcmp(before->mode, now->mode) != 0) {
		snprintf(why, size, "one is of mode %.20s, the other of mode %.20s", before->mode,
			 now->mode);
		return false;
	}
	for (i = 0; i < a->n || i < b->n; i++) {
		if (i < a->n && i < b->n && !strcmp(a->types[i].name, b->types[i].name) &&
		    a->types[i].kind == b->types[i].kind)
			continue;
		snprintf(why, size, "they count other values");
		return false;
	}
	return true;
}

static const char *program_of(const struct group *group, enum group_by by)
{
	return by == GROUP_PROGRAM ? group->process->cmdline : "";
}

/* Adds a group of one of the profiles. */
static void add(struct differences *differences, const struct group *group, enum group_by by,
		bool is_now)
{
	struct difference *one = &differences->of[differences->n++];

	*one = (struct difference){
		.location = group->location,
		.program = program_of(group, by),
		.is_new = is_now,
		.is_gone = !is_now,
	};
	*(is_now ? &one->now : &one->before) = group->values;
}

static int compare_keys(const void *a, const void *b)
{
	const struct difference *x = a, *y = b;
	int order = strcmp(x->location.file, y->location.file);

	if (!order)
		order = strcmp(x->location.function, y->location.function);
	if (!order)
		order = x->location.line - y->location.line;
	return order ? order : strcmp(x->program, y->program);
}

/* Each is in each profile once: joins the two. */
static void join(const struct schema *schema, struct differences *differences)
{
	struct difference *of = differences->of;
	size_t i, n = 0;

	qsort(of, differences->n, sizeof(*of), compare_keys);
	for (i = 0; i < differences->n; i++) {
		if (n && !compare_keys(&of[n - 1], &of[i])) {
			values__add(schema, &of[n - 1].before, &of[i].before);
			values__add(schema, &of[n - 1].now, &of[i].now);
			of[n - 1].is_new = of[n - 1].is_gone = false;
			continue;
		}
		of[n++] = of[i];
	}
	differences->n = n;
}

static void drop_unchanged(const struct schema *schema, struct differences *differences)
{
	struct difference *of = differences->of;
	size_t i, n = 0;

	for (i = 0; i < differences->n; i++) {
		of[i].change = values__difference(schema, &of[i].now, &of[i].before);
		if (!values__are_zero(schema, &of[i].change))
			of[n++] = of[i];
	}
	differences->n = n;
}

static int compare_changes(const void *a, const void *b, void *schema)
{
	const struct difference *x = a, *y = b;
	int64_t of_x = values__held(schema, &x->change), of_y = values__held(schema, &y->change);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return compare_keys(a, b);
}

int profile__diff(const struct profile *before, const struct profile *now, enum group_by by,
		  const struct own_code *code, struct differences *differences)
{
	struct groups old = {0}, new = {0};
	size_t i;
	int err = profile__group(before, NULL, by, BY_VALUE, code, &old);

	if (!err)
		err = profile__group(now, NULL, by, BY_VALUE, code, &new);
	differences->n = 0;
	differences->of = err ? NULL : calloc(old.n + new.n + 1, sizeof(*differences->of));
	if (differences->of) {
		for (i = 0; i < old.n; i++)
			add(differences, &old.groups[i], by, false);
		for (i = 0; i < new.n; i++)
			add(differences, &new.groups[i], by, true);
		join(&now->schema, differences);
		drop_unchanged(&now->schema, differences);
		qsort_r(differences->of, differences->n, sizeof(*differences->of), compare_changes,
			(void *)&now->schema);
	} else if (!err) {
		err = -ENOMEM;
	}
	groups__free(&old);
	groups__free(&new);
	return err;
}

void differences__free(struct differences *differences)
{
	free(differences->of);
	*differences = (struct differences){0};
}
