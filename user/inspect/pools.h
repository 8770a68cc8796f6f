/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads pymalloc's pools from a running process. A pool is recognised by its header alone (struct
 * pool_header); its free list says which of its slots are taken. Nothing from the process is
 * trusted, and nothing in it changes.
 */
#ifndef POOLS_H
#define POOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

#include "target/address_space.h"

#include "pymemtop.h"

/* Slots in a pool of the smallest size class. */
#define MOST_SLOTS ((MAX_POOL_SIZE - sizeof(struct pool_header)) / SMALLEST_SLOT)

struct pool {
	uint64_t address;
	uint32_t slot_size; /* bytes */
	uint32_t nslots;    /* slots that were ever taken */
	uint32_t nlive;
	uint32_t arena; /* number of the arena that it is in */
	/* Not set with POOLS_HEADERS: */
	const uint8_t *bytes;	  /* from the header to the end of the slots */
	uint8_t live[MOST_SLOTS]; /* by slot: 1 or 0 */
};

/* How much of each pool to read. */
enum pools_read {
	POOLS_HEADERS,
	POOLS_WHOLE,
};

struct pool_reader;

/* Returns 0 and a reader of pools of that size, or -errno if the process cannot be looked at. */
int pool_reader__new(struct address_space space, uint32_t pool_size, struct pool_reader **reader);
void pool_reader__free(struct pool_reader *reader);

/*
 * Visits all pools by address, also those without a taken slot; a pool is only valid during the
 * call. torn receives how many were skipped because the process changed them each time they were
 * read. Returns 0 or -errno, also the visitor's.
 */
int pool_reader__look(struct pool_reader *reader, enum pools_read how,
		      int (*visit)(void *context, const struct pool *pool), void *context,
		      size_t *torn);

/* The pool at an address, which is valid until the next call; NULL: there is none, or it cannot be
 * read in one piece. */
const struct pool *pool_reader__read(struct pool_reader *reader, uint64_t address);

#endif /* POOLS_H */
