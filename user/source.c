// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "source.h"
#include "heap.h"
#include "lines.h"
#include "rss.h"

static const struct source_type *const types[] = {
	&heap_source,
	&rss_source,
	&lines_source,
};

const struct source_type *source_type__get(size_t i)
{
	return i < sizeof(types) / sizeof(types[0]) ? types[i] : NULL;
}

const struct source_type *source_type__find(const char *name)
{
	const struct source_type *type;
	size_t i;

	for (i = 0; (type = source_type__get(i)); i++) {
		if (!strcmp(type->name, name))
			return type;
	}
	return NULL;
}
