// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/census_types.h"

static int compare_names(const void *a, const void *b)
{
	const struct census_type *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (!order)
		order = strcmp(x->defined.file ?: "", y->defined.file ?: "");
	if (!order)
		order = (x->defined.line > y->defined.line) - (x->defined.line < y->defined.line);
	return order;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct census_type *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return compare_names(a, b);
}

static int compare_rows(const void *a, const void *b)
{
	return compare_names(*(const struct census_type *const *)a,
			     *(const struct census_type *const *)b);
}

int census_types__index(struct census *census)
{
	size_t i, n = 0;

	qsort(census->types, census->ntypes, sizeof(*census->types), compare_names);
	for (i = 0; i < census->ntypes; i++) {
		if (n && !compare_names(&census->types[n - 1], &census->types[i])) {
			census->types[n - 1].count += census->types[i].count;
			census->types[n - 1].bytes += census->types[i].bytes;
		} else {
			census->types[n++] = census->types[i];
		}
	}
	census->ntypes = n;
	qsort(census->types, n, sizeof(*census->types), compare_bytes);
	census->by_name = calloc(n + 1, sizeof(*census->by_name));
	if (!census->by_name)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		census->by_name[i] = &census->types[i];
	qsort(census->by_name, n, sizeof(*census->by_name), compare_rows);
	return 0;
}

/* What takes most is first, as not all sources are read. */
static int find_definitions(struct heap *heap, const struct census_options *options,
			    struct census *census)
{
	struct definitions *definitions;
	size_t i;

	census->texts = arena__new();
	definitions = census->texts
			      ? definitions__new(heap, census->texts, options->reader, options->cwd)
			      : NULL;
	if (!definitions)
		return -ENOMEM;
	qsort(census->types, census->ntypes, sizeof(*census->types), compare_bytes);
	for (i = 0; i < census->ntypes; i++)
		census->types[i].defined = definitions__find(definitions, census->types[i].type);
	definitions__free(definitions);
	return 0;
}

int census_types__finish(struct census *census, struct heap *heap,
			 const struct census_options *options)
{
	int err = find_definitions(heap, options, census);

	return err ? err : census_types__index(census);
}

const struct census_type *census__find(const struct census *census, const struct census_type *type)
{
	const struct census_type **row;

	row = bsearch(&type, census->by_name, census->ntypes, sizeof(*census->by_name),
		      compare_rows);
	return row ? *row : NULL;
}

struct census_type census__growth(const struct census *before, const struct census_type *type)
{
	const struct census_type *then = census__find(before, type);

	return (struct census_type){
		.name = type->name,
		.count = type->count - (then ? then->count : 0),
		.bytes = type->bytes - (then ? then->bytes : 0),
	};
}
