// SPDX-License-Identifier: BSD-2-Clause
#include "inspect/malloc_blocks.h"
#include "inspect/malloc_chunk.h"

#define LEAST_CHUNK  16
#define CHUNKS_TRIED 8

/* Whether from there on chunk follows chunk, as far as is tried, or up to the end of the memory:
 * what some block holds can look like the size of one. */
static bool are_chunks(struct memory *memory, uint64_t at, uint64_t end)
{
	uint64_t size;
	int i;

	for (i = 0; i < CHUNKS_TRIED && at + 16 < end; i++) {
		if (!memory__read(memory, at - 8, &size, sizeof(size)))
			return false;
		size = chunk__size(size);
		if (size < LEAST_CHUNK || size % 16 || size > end - at + 16)
			return false;
		at += size;
	}
	return true;
}

uint64_t malloc_block__size(struct memory *memory, uint64_t address)
{
	const struct memory_range *range = memory__range_of(memory, address);
	uint64_t size, bits, next;

	if (!range || !memory__read(memory, address - 8, &size, sizeof(size)))
		return 0;
	bits = size & CHUNK_BITS;
	size -= bits;
	if (size < 32 || size % 16 || size > range->end - address + 16)
		return 0;
	/* One that is mapped is alone there; its size counts the 16 bytes before it, or not (2.42).
	 */
	if (bits & CHUNK_MAPPED)
		return (size + 16) % 4096 > 16 || (address - 16) % 4096
			       ? 0
			       : (size + 16) / 4096 * 4096 - 16;
	/* One that is in use has its successor's first word, too. */
	return memory__read(memory, address - 8 + size, &next, sizeof(next)) &&
			       next & CHUNK_IN_USE && are_chunks(memory, address + size, range->end)
		       ? size - 8
		       : 0;
}
