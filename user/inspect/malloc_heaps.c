// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/signals.h"
#include "inspect/malloc_chunk.h"
#include "inspect/malloc_heaps.h"

#define PAGE 4096

/* The head of a block, and the least that one takes. */
#define HEAD  16
#define LEAST 32

/* heap_info: ar_ptr, prev, size; 32 bytes, since 2.36 more. Behind it, in an arena's first heap, is
 * its malloc_state of some 2,200 bytes: where the first block begins is tried. */
#define HEAP_ARENA    0
#define HEAP_SIZE     16
#define FIRST_BLOCK   32
#define LAST_OF_FIRST 4096

/* Blocks between two looks whether a signal was caught. */
#define SIGNAL_BLOCKS 65536

struct walk {
	struct memory *memory;
	struct malloc_heaps *heaps;
	int signals;
	int err;
};

/* A block's size and flags; 0: it cannot be read. */
static uint64_t size_at(struct walk *walk, uint64_t block)
{
	return memory__word(walk->memory, block + 8);
}

static void count_free(struct walk *walk, struct malloc_heaps *heaps, uint64_t from, uint64_t to)
{
	uint64_t first = (from + LEAST + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	uint64_t last = to & ~(uint64_t)(PAGE - 1);

	heaps->free += memory__resident_bytes(walk->memory, from, to);
	heaps->free_blocks++;
	if (to - from > heaps->largest_free)
		heaps->largest_free = to - from;
	if (last > first)
		heaps->trimmable += memory__resident_bytes(walk->memory, first, last);
}

/* Walks from the first block to the end of the heap, where the last one, of what was not handed out
 * yet, ends. Returns whether the blocks add up to that; heaps has what was found. */
static bool walk_blocks(struct walk *walk, uint64_t first, uint64_t end, struct malloc_heaps *heaps)
{
	uint64_t at = first, size, next, n = 0;

	for (; at + HEAD < end; at = next) {
		size = chunk__size(size_at(walk, at));
		next = at + size;
		/* Two heads without blocks end a heap that another one goes on with. */
		if (size < LEAST && at + 2 * LEAST >= end)
			break;
		if (size < LEAST || size % 16 || next > end || next < at)
			return false;
		if (n++ % SIGNAL_BLOCKS == 0 && signals__count() != walk->signals) {
			walk->err = -EINTR;
			return false;
		}
		if (next + HEAD >= end || !(size_at(walk, next) & CHUNK_IN_USE))
			count_free(walk, heaps, at, next);
	}
	return n > 1;
}

/* Tries where the blocks begin. */
static void walk_heap(struct walk *walk, uint64_t start, uint64_t end, uint64_t most)
{
	struct malloc_heaps found;
	uint64_t first;

	for (first = start; !walk->err && first <= most; first += HEAD) {
		found = *walk->heaps;
		if (!walk_blocks(walk, first, end, &found))
			continue;
		found.n++;
		found.resident += memory__resident_bytes(walk->memory, start, end);
		*walk->heaps = found;
		return;
	}
	walk->heaps->unclear++;
}

/* Whether a mapping begins as the heap of a further arena, and where that heap ends. */
static bool is_further_heap(struct walk *walk, const struct proc_map *map, uint64_t *end)
{
	uint64_t arena, size;

	if (map->start % HEAP_ALIGNMENT)
		return false;
	arena = memory__word(walk->memory, map->start + HEAP_ARENA);
	size = memory__word(walk->memory, map->start + HEAP_SIZE);
	*end = map->start + size;
	/* It lies in its own first heap. */
	return arena && arena % 16 == 0 && arena % HEAP_ALIGNMENT < LAST_OF_FIRST && size &&
	       size % PAGE == 0 && *end <= map->end;
}

/* A core file does not name the heap: its first block is the cache of the first thread
 * (tcache_perthread_struct), of this size. */
static bool begins_like_heap(struct walk *walk, const struct proc_map *map)
{
	uint64_t size = chunk__size(size_at(walk, map->start));

	return size >= 0x240 && size <= 0x310 && !memory__word(walk->memory, map->start);
}

static int see_map(void *context, const struct proc_map *map)
{
	struct walk *walk = context;
	uint64_t end;

	if (!map->is_writable || !map->is_private || map->inode)
		return 0;
	if (!strcmp(map->path, "[heap]"))
		walk_heap(walk, map->start, map->end, map->start);
	else if (map->path[0] && strncmp(map->path, "[anon:", 6) != 0)
		return 0;
	else if (is_further_heap(walk, map, &end))
		walk_heap(walk, map->start + FIRST_BLOCK, end, map->start + LAST_OF_FIRST);
	else if (begins_like_heap(walk, map) && size_at(walk, map->start + 0x290))
		walk_heap(walk, map->start, map->end, map->start);
	return walk->err;
}

int malloc_heaps__walk(struct address_space space, struct memory *memory, int signals,
		       struct malloc_heaps *heaps)
{
	struct walk walk = {.memory = memory, .heaps = heaps, .signals = signals};

	memset(heaps, 0, sizeof(*heaps));
	return address_space__visit_maps(space, see_map, &walk);
}
