// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/census_stream.h"
#include "inspect/census_types.h"

/* The longest name or path, and the most types, that are believed. */
#define MOST_TEXT  65536
#define MOST_TYPES (1 << 24)

struct sums {
	uint64_t ntypes, count, bytes, pool_bytes, swapped_bytes, left_out, torn;
};

struct row {
	uint64_t count, bytes;
	uint32_t line, name_length, file_length;
};

void census_stream__write(const struct census *census, FILE *to)
{
	const struct sums sums = {
		.ntypes = census->ntypes,
		.count = census->count,
		.bytes = census->bytes,
		.pool_bytes = census->pool_bytes,
		.swapped_bytes = census->swapped_bytes,
		.left_out = census->left_out,
		.torn = census->torn,
	};
	const struct census_type *type;
	struct row row;

	fwrite(&sums, sizeof(sums), 1, to);
	for (type = census->types; type < census->types + census->ntypes; type++) {
		row = (struct row){
			.count = type->count,
			.bytes = type->bytes,
			.line = type->defined.line,
			.name_length = strlen(type->name),
			.file_length = type->defined.file ? strlen(type->defined.file) : 0,
		};
		fwrite(&row, sizeof(row), 1, to);
		fwrite(type->name, 1, row.name_length, to);
		fwrite(type->defined.file ?: "", 1, row.file_length, to);
	}
}

/* Returns 0 and the text in the arena, or -errno. */
static int read_text(FILE *from, uint32_t length, struct arena *arena, const char **text)
{
	char bytes[MOST_TEXT];

	if (length > sizeof(bytes) || fread(bytes, 1, length, from) != length)
		return -EINVAL;
	*text = arena__copy(arena, bytes, length);
	return *text ? 0 : -ENOMEM;
}

static int read_type(FILE *from, struct arena *arena, struct census_type *type)
{
	struct row row;
	int err;

	if (fread(&row, sizeof(row), 1, from) != 1)
		return -EINVAL;
	type->count = row.count;
	type->bytes = row.bytes;
	type->defined.line = row.line;
	err = read_text(from, row.name_length, arena, &type->name);
	if (!err && row.file_length)
		err = read_text(from, row.file_length, arena, &type->defined.file);
	return err;
}

static int read_types(FILE *from, const struct sums *sums, struct census *census)
{
	int err = 0;

	census->texts = arena__new();
	census->types = calloc(sums->ntypes + 1, sizeof(*census->types));
	if (!census->texts || !census->types)
		return -ENOMEM;
	while (!err && census->ntypes < sums->ntypes)
		err = read_type(from, census->texts, &census->types[census->ntypes++]);
	return err ? err : census_types__index(census);
}

int census_stream__read(FILE *from, struct census **result)
{
	struct census *census;
	struct sums sums;
	int err;

	if (fread(&sums, sizeof(sums), 1, from) != 1 || sums.ntypes > MOST_TYPES)
		return -EINVAL;
	census = calloc(1, sizeof(*census));
	if (!census)
		return -ENOMEM;
	census->count = sums.count;
	census->bytes = sums.bytes;
	census->pool_bytes = sums.pool_bytes;
	census->swapped_bytes = sums.swapped_bytes;
	census->left_out = sums.left_out;
	census->torn = sums.torn;
	err = read_types(from, &sums, census);
	if (err) {
		census__free(census);
		return err;
	}
	*result = census;
	return 0;
}
