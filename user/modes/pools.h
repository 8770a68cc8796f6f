/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads pymalloc's pools out of a process while it runs. A pool is told by its header alone
 * (struct pool_header): which of its slots are taken, its free list says. Nothing of the process
 * is trusted, and nothing in it changes.
 */
#ifndef POOLS_H
#define POOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Of the smallest size class. */
#define MOST_SLOTS ((MAX_POOL_SIZE - sizeof(struct pool_header)) / SMALLEST_SLOT)

struct pool {
	uint64_t address;
	uint32_t slot_size; /* bytes */
	uint32_t nslots;    /* that were ever taken */
	uint32_t nlive;
	uint32_t arena; /* that it is in, by number */
	/* Not with POOLS_HEADERS: */
	const uint8_t *bytes;	  /* from the header to the end of the slots */
	uint8_t live[MOST_SLOTS]; /* by slot: 1 or 0 */
};

/* How much is read of each. */
enum pools_read {
	POOLS_HEADERS,
	POOLS_WHOLE,
};

struct pool_reader;

/* 0 and a reader of pools of that size, or -errno where the process cannot be looked at. */
int pool_reader__new(pid_t pid, uint32_t pool_size, struct pool_reader **reader);
void pool_reader__free(struct pool_reader *reader);

/*
 * Goes through all pools, also those of which no slot is taken now, by address; the pool is valid
 * for the call only. 0; -errno, also of the visitor. torn receives how many could not be read in
 * one piece, as the process changed them each time: they are passed over.
 */
int pool_reader__look(struct pool_reader *reader, enum pools_read how,
		      int (*visit)(void *context, const struct pool *pool), void *context,
		      size_t *torn);

#endif /* POOLS_H */
