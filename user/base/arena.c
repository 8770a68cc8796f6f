// SPDX-License-Identifier: BSD-2-Clause
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* A chunk holds thousands of small pieces; a piece larger than a quarter of it gets its own. */
#define CHUNK_SIZE (256 << 10)

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks;
	char *free;
	size_t left;
};

struct arena *arena__new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena__free(struct arena *arena)
{
	struct chunk *chunk, *next;

	if (!arena)
		return;
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static void *add_chunk(struct arena *arena, size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk->data;
}

void *arena__alloc(struct arena *arena, size_t n, size_t size)
{
	char *data;

	if (__builtin_mul_overflow(n, size, &size) || size > SIZE_MAX / 2)
		return NULL;
	/* Even an empty piece has an address. */
	size = size ? (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1)
		    : alignof(max_align_t);
	if (size > CHUNK_SIZE / 4)
		return add_chunk(arena, size);
	if (size > arena->left) {
		arena->free = add_chunk(arena, CHUNK_SIZE);
		arena->left = arena->free ? CHUNK_SIZE : 0;
		if (!arena->free)
			return NULL;
	}
	data = arena->free;
	arena->free += size;
	arena->left -= size;
	return data;
}

char *arena__copy(struct arena *arena, const char *bytes, size_t length)
{
	char *copy = arena__alloc(arena, length + 1, 1);

	if (copy)
		memcpy(copy, bytes, length);
	return copy;
}
