/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What glibc's malloc has of the resident memory, and how much of that is free: blocks in a heap
 * lie one behind the other, each with its size in front of it, and the next one says whether it is
 * in use (struct malloc_chunk in malloc/malloc.c, heap_info in malloc/arena.c; glibc 2.26 to 2.42).
 * Blocks in the caches for each thread and in fastbins, up to some kilobytes, look used.
 */
#ifndef MALLOC_HEAPS_H
#define MALLOC_HEAPS_H

#include "inspect/memory.h"

struct malloc_heaps {
	size_t n;	       /* heaps whose blocks add up */
	size_t unclear;	       /* others: what they hold is in none of the rest */
	uint64_t resident;     /* bytes, of all heaps that add up */
	uint64_t free;	       /* of these; blocks that are free, and what was not handed out yet */
	uint64_t free_blocks;  /* how many */
	uint64_t largest_free; /* bytes, resident or not */
	uint64_t trimmable;    /* whole pages of the free: what malloc_trim(3) gives back */
};

/* Returns 0; -EINTR if a signal was caught since signals__count() was that; or -errno. */
int malloc_heaps__walk(struct address_space space, struct memory *memory, int signals,
		       struct malloc_heaps *heaps);

#endif /* MALLOC_HEAPS_H */
