// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/block_reader.h"
#include "inspect/malloc_chunk.h"

/* What a block takes beside what was asked for: its size; its room is a multiple of 16, and a rest
 * of less than 32 bytes stays with it. */
#define HEAD  8
#define SLACK 64

/* A thread's cache is at the beginning of the heap of its arena. */
#define CACHE_PLACE 8192

/* Blocks to read with one system call: half of IOV_MAX. */
#define BATCH 512

/* tcache_perthread_struct: by the size of its own block, where its lists begin, and how many there
 * are. */
static const struct {
	uint64_t size, lists, n;
} caches[] = {
	{0x250, 64, 64},  /* 2.29 */
	{0x290, 128, 64}, /* 2.30 to 2.41 */
	{0x310, 152, 76}, /* 2.42 */
};

struct block_reader {
	struct address_space space;
	uint64_t key;	/* second word of a block in a cache; 0: not known yet */
	uint64_t cache; /* the main thread's: such a word before 2.34 */
};

static int find_heap(void *context, const struct proc_map *map)
{
	uint64_t *heap = context;

	*heap = map->start;
	return !strcmp(map->path, "[heap]");
}

/* Takes the key from a block that lies in the main thread's cache. It is the same for all threads,
 * or, before 2.34, the address of the thread's cache. */
static void find_key(struct block_reader *reader)
{
	uint64_t heap = 0, size, lists[76], i;
	size_t k;

	if (address_space__visit_maps(reader->space, find_heap, &heap) != 1 ||
	    address_space__read(reader->space, heap + HEAD, &size, sizeof(size)))
		return;
	reader->cache = heap + 2 * HEAD;
	for (k = 0; k < sizeof(caches) / sizeof(caches[0]); k++) {
		if (chunk__size(size) != caches[k].size ||
		    address_space__read(reader->space, reader->cache + caches[k].lists, lists,
					caches[k].n * sizeof(lists[0])))
			continue;
		for (i = 0; i < caches[k].n && !reader->key; i++) {
			if (lists[i] && address_space__read(reader->space, lists[i] + HEAD,
							    &reader->key, sizeof(reader->key)))
				reader->key = 0;
		}
	}
}

int block_reader__new(struct address_space space, struct block_reader **result)
{
	struct block_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->space = space;
	*result = reader;
	return 0;
}

void block_reader__free(struct block_reader *reader)
{
	free(reader);
}

/* What is read of a block, and of what is in front of it. */
struct head {
	uint64_t previous_size, size, words[2];
};

static bool is_cached(const struct block_reader *reader, uint64_t block, uint64_t word)
{
	if (!word)
		return false;
	if (word == reader->key || word == reader->cache)
		return true;
	return word / HEAP_ALIGNMENT == block / HEAP_ALIGNMENT &&
	       word % HEAP_ALIGNMENT < CACHE_PLACE && word % 16 == 0;
}

/* Whether a head is that of a block of that size. */
static bool fits(const struct head *head, uint64_t asked)
{
	uint64_t size = chunk__size(head->size);

	if (head->size & CHUNK_MAPPED)
		return size >= asked + HEAD;
	return size >= asked + HEAD && size <= asked + HEAD + SLACK;
}

static int look_at(struct block_reader *reader, const uint64_t *blocks, const uint64_t *sizes,
		   size_t n, bool *in_use)
{
	struct iovec local[BATCH], remote[BATCH];
	struct head heads[BATCH];
	uint64_t next[BATCH];
	bool done[BATCH];
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		local[i] = (struct iovec){&heads[i], sizeof(heads[i])};
		remote[i] =
			(struct iovec){(void *)(uintptr_t)(blocks[i] - 2 * HEAD), sizeof(heads[i])};
	}
	err = address_space__read_pieces(reader->space, local, remote, n, in_use);
	for (i = 0; !err && i < n; i++) {
		in_use[i] = in_use[i] && fits(&heads[i], sizes[i]) &&
			    !is_cached(reader, blocks[i], heads[i].words[1]);
		local[i] = (struct iovec){&next[i], sizeof(next[i])};
		remote[i] =
			(struct iovec){(void *)(uintptr_t)(blocks[i] - HEAD +
							   (in_use[i] ? chunk__size(heads[i].size)
								      : 0)),
				       sizeof(next[i])};
	}
	if (!err)
		err = address_space__read_pieces(reader->space, local, remote, n, done);
	for (i = 0; !err && i < n; i++)
		in_use[i] = in_use[i] &&
			    (heads[i].size & CHUNK_MAPPED || (done[i] && next[i] & CHUNK_IN_USE));
	return err;
}

int block_reader__look(struct block_reader *reader, const uint64_t *blocks, const uint64_t *sizes,
		       size_t n, bool *in_use)
{
	size_t at, part;
	int err = 0;

	if (!reader->key)
		find_key(reader);
	for (at = 0; !err && at < n; at += part) {
		part = n - at < BATCH ? n - at : BATCH;
		err = look_at(reader, blocks + at, sizes + at, part, in_use + at);
	}
	return err;
}
