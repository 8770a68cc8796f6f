/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells whether blocks of glibc's malloc are still in use, from what malloc keeps around them: the
 * size in front of a block; a bit in the next one's, which says that it is in use; and, in blocks
 * that lie in a cache of a thread, a word that no block in use has there (2.29 to 2.42). A block
 * that was freed and given out again with the same size looks as if it had never been freed.
 */
#ifndef BLOCK_READER_H
#define BLOCK_READER_H

#include "target/address_space.h"

struct block_reader;

/* Returns 0 and the reader, or -errno if the process cannot be looked at. */
int block_reader__new(struct address_space space, struct block_reader **reader);
void block_reader__free(struct block_reader *reader);

/* Of n blocks, with their addresses and the bytes that were asked for. Returns 0 or -errno. */
int block_reader__look(struct block_reader *reader, const uint64_t *blocks, const uint64_t *sizes,
		       size_t n, bool *in_use);

#endif /* BLOCK_READER_H */
