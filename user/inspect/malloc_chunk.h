/* SPDX-License-Identifier: BSD-2-Clause */
/* How glibc's malloc marks its blocks: struct malloc_chunk of malloc/malloc.c, the same from 2.26
 * to 2.42. A block's size lies in the word before it, with three bits. */
#ifndef MALLOC_CHUNK_H
#define MALLOC_CHUNK_H

#include <stdint.h>

#define CHUNK_IN_USE 1ULL /* the one before it */
#define CHUNK_MAPPED 2ULL /* by mmap, alone */
#define CHUNK_BITS   7ULL

/* HEAP_MAX_SIZE of malloc/arena.c: where the heaps of further arenas begin. */
#define HEAP_ALIGNMENT (64ULL << 20)

static inline uint64_t chunk__size(uint64_t word)
{
	return word & ~CHUNK_BITS;
}

#endif /* MALLOC_CHUNK_H */
