// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/alive.h"

int alive__compare_growth(const void *a, const void *b)
{
	const struct profile_alive_type *x = a, *y = b;

	if (x->bytes_change != y->bytes_change)
		return x->bytes_change > y->bytes_change ? -1 : 1;
	if (x->now.bytes != y->now.bytes)
		return x->now.bytes > y->now.bytes ? -1 : 1;
	return strcmp(x->now.name, y->now.name);
}

/* Appends a type, and what it has gained since the first census. */
static int add(struct profile *profile, struct profile_alive *alive, const struct census *first,
	       const struct census_type *type)
{
	struct profile_alive_type *row = &alive->types[alive->ntypes++];
	const struct census_type growth = census__growth(first, type);
	const char *file = type->defined.file;

	*row = (struct profile_alive_type){
		.now = {profile__string(profile, type->name), type->count, type->bytes},
		.file = file ? profile__string(profile, file) : NULL,
		.line = type->defined.line,
		.count_change = growth.count,
		.bytes_change = growth.bytes,
	};
	return row->now.name && (row->file || !file) ? 0 : -ENOMEM;
}

int alive__fill(struct profile *profile, struct profile_alive *alive, const struct census *first,
		const struct census *now)
{
	struct census_type gone;
	int err = 0;
	size_t i;

	alive->count = now->count;
	alive->bytes = now->bytes;
	alive->count_change = now->count - first->count;
	alive->bytes_change = now->bytes - first->bytes;
	alive->types =
		profile__alloc(profile, now->ntypes + first->ntypes + 1, sizeof(*alive->types));
	if (!alive->types)
		return -ENOMEM;
	for (i = 0; !err && i < now->ntypes; i++)
		err = add(profile, alive, first, &now->types[i]);
	for (i = 0; !err && i < first->ntypes; i++) {
		if (census__find(now, &first->types[i]))
			continue;
		gone = first->types[i];
		gone.count = gone.bytes = 0;
		err = add(profile, alive, first, &gone);
	}
	qsort(alive->types, alive->ntypes, sizeof(*alive->types), alive__compare_growth);
	return err;
}
