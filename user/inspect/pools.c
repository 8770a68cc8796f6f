// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "inspect/pagemap.h"
#include "inspect/pools.h"

/* Headers, or whole pools, to read with one system call: IOV_MAX, and 1 MiB. */
#define HEADERS 1024
#define BODIES	64

/* How often to try to read a pool that changes while it is read. */
#define TRIES 4

#define HEADER sizeof(struct pool_header)

struct candidate {
	uint64_t address;
	struct pool_header header;
};

struct pool_reader {
	struct address_space space;
	uint32_t pool_size;
	struct pagemap *pagemap;
	enum pools_read how;
	struct candidate candidates[HEADERS];
	size_t ncandidates;
	uint8_t bodies[BODIES][MAX_POOL_SIZE];
	struct pool pool;
};

int pool_reader__new(struct address_space space, uint32_t pool_size, struct pool_reader **result)
{
	struct pool_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->space = space;
	reader->pool_size = pool_size;
	err = pagemap__new(space, PAGEMAP_MAY_SCAN, &reader->pagemap);
	if (err) {
		free(reader);
		return err;
	}
	*result = reader;
	return 0;
}

void pool_reader__free(struct pool_reader *reader)
{
	if (!reader)
		return;
	pagemap__free(reader->pagemap);
	free(reader);
}

static uint32_t slot_size(const struct pool_header *header)
{
	return (header->size_class + 1) * SMALLEST_SLOT;
}

/* Returns how many slots of the pool were ever taken. */
static uint32_t slots_of(const struct pool_header *header)
{
	return (header->nextoffset - HEADER) / slot_size(header);
}

/* The most arenas that there can be: 1 TiB in arenas of 1 MiB. */
#define MOST_ARENAS (1 << 20)

/* Whether the candidate's header is that of a pool. */
static bool is_pool(const struct pool_reader *reader, const struct candidate *candidate)
{
	const struct pool_header *header = &candidate->header;
	uint32_t size = slot_size(header);
	uint64_t first = candidate->address + HEADER;

	if (header->size_class >= POOL_CLASSES ||
	    header->maxnextoffset != reader->pool_size - size ||
	    header->nextoffset < HEADER + size || header->nextoffset > reader->pool_size ||
	    (header->nextoffset - HEADER) % size || header->arena >= MOST_ARENAS ||
	    header->count > slots_of(header))
		return false;
	return !header->freeblock ||
	       (header->freeblock >= first && header->freeblock - first < header->nextoffset &&
		!((header->freeblock - first) % size));
}

/* Keeps the candidates that are pools. */
static int read_headers(struct pool_reader *reader)
{
	struct iovec local[HEADERS], remote[HEADERS];
	bool done[HEADERS] = {false};
	size_t i, n = 0;
	int err;

	for (i = 0; i < reader->ncandidates; i++) {
		local[i] = (struct iovec){&reader->candidates[i].header, HEADER};
		remote[i] =
			(struct iovec){(void *)(uintptr_t)reader->candidates[i].address, HEADER};
	}
	err = address_space__read_pieces(reader->space, local, remote, reader->ncandidates, done);
	for (i = 0; !err && i < reader->ncandidates; i++) {
		if (done[i] && is_pool(reader, &reader->candidates[i]))
			reader->candidates[n++] = reader->candidates[i];
	}
	reader->ncandidates = n;
	return err;
}

/* Follows the free list. Returns false if it is not one of as many slots as the count leaves: the
 * process changed it meanwhile. */
static bool find_live(struct pool *pool)
{
	struct pool_header header;
	uint32_t nfree = 0;
	uint64_t at, slot;

	memcpy(&header, pool->bytes, HEADER);
	memset(pool->live, 1, pool->nslots);
	for (at = header.freeblock; at; nfree++) {
		slot = (at - pool->address - HEADER) / pool->slot_size;
		if (at < pool->address + HEADER || slot >= pool->nslots || !pool->live[slot] ||
		    (at - pool->address - HEADER) % pool->slot_size)
			return false;
		pool->live[slot] = 0;
		memcpy(&at, pool->bytes + (at - pool->address), sizeof(at));
	}
	pool->nlive = pool->nslots - nfree;
	return pool->nlive == header.count;
}

/* Describes a pool by its header alone. */
static struct pool *describe(struct pool_reader *reader, const struct candidate *candidate)
{
	struct pool *pool = &reader->pool;

	pool->address = candidate->address;
	pool->slot_size = slot_size(&candidate->header);
	pool->nslots = slots_of(&candidate->header);
	pool->nlive = candidate->header.count;
	pool->arena = candidate->header.arena;
	return pool;
}

/* Parses a pool from the bytes that were read, or reads it there again. Returns 1, 0 if it exists
 * but cannot be read in one piece, or -ENOENT if it is no pool any more. */
static int parse(struct pool_reader *reader, uint64_t address, uint8_t *bytes, size_t read)
{
	struct candidate candidate = {.address = address};
	struct pool *pool;
	struct iovec local = {bytes, reader->pool_size};
	struct iovec remote = {(void *)(uintptr_t)address, reader->pool_size};
	ssize_t got;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (i || !read) {
			got = address_space__readv(reader->space, &local, 1, &remote, 1);
			if (got < (ssize_t)HEADER)
				return -ENOENT;
			read = got;
		}
		memcpy(&candidate.header, bytes, HEADER);
		if (!is_pool(reader, &candidate))
			return -ENOENT;
		pool = describe(reader, &candidate);
		pool->bytes = bytes;
		/* It may have grown since the header was read. */
		if (candidate.header.nextoffset <= read && find_live(pool))
			return 1;
	}
	return 0;
}

static int visit_batch(struct pool_reader *reader, size_t first, size_t n,
		       int (*visit)(void *context, const struct pool *pool), void *context,
		       size_t *torn)
{
	struct iovec local[BODIES], remote[BODIES];
	const struct candidate *candidates = reader->candidates + first;
	bool done[BODIES] = {false};
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		/* Read no more than was ever taken: what is behind it may not exist. */
		local[i] = (struct iovec){reader->bodies[i], candidates[i].header.nextoffset};
		remote[i] = (struct iovec){(void *)(uintptr_t)candidates[i].address,
					   candidates[i].header.nextoffset};
	}
	err = address_space__read_pieces(reader->space, local, remote, n, done);
	for (i = 0; err >= 0 && i < n; i++) {
		err = parse(reader, candidates[i].address, reader->bodies[i],
			    done[i] ? candidates[i].header.nextoffset : 0);
		*torn += !err;
		if (err == 1)
			err = visit(context, &reader->pool);
		else if (err == -ENOENT)
			err = 0;
	}
	return err;
}

static int visit_candidates(struct pool_reader *reader,
			    int (*visit)(void *context, const struct pool *pool), void *context,
			    size_t *torn)
{
	size_t at, n;
	int err = read_headers(reader);

	if (reader->how == POOLS_HEADERS) {
		for (at = 0; !err && at < reader->ncandidates; at++)
			err = visit(context, describe(reader, &reader->candidates[at]));
		reader->ncandidates = 0;
		return err;
	}
	for (at = 0; !err && at < reader->ncandidates; at += n) {
		n = reader->ncandidates - at;
		n = n < BODIES ? n : BODIES;
		err = visit_batch(reader, at, n, visit, context, torn);
	}
	reader->ncandidates = 0;
	return err;
}

/* Whether a page is resident, as the first page of a pool always is. */
static bool is_resident(const struct residency *residency, size_t page)
{
	return residency->resident[page / 64] >> (page % 64) & 1;
}

const struct pool *pool_reader__read(struct pool_reader *reader, uint64_t address)
{
	return parse(reader, address, reader->bodies[0], 0) == 1 ? &reader->pool : NULL;
}

int pool_reader__look(struct pool_reader *reader, enum pools_read how,
		      int (*visit)(void *context, const struct pool *pool), void *context,
		      size_t *torn)
{
	const size_t step = reader->pool_size >> PAGE_SHIFT;
	struct residency residency = {0};
	uint64_t index = 0;
	size_t page;
	int err = pagemap__refresh(reader->pagemap);

	*torn = 0;
	reader->how = how;
	reader->ncandidates = 0;
	while (!err) {
		err = pagemap__next(reader->pagemap, index, &residency);
		if (err <= 0)
			break;
		err = 0;
		index = residency.index + 1;
		for (page = 0; !err && page < REGION_PAGES; page += step) {
			if (!is_resident(&residency, page))
				continue;
			reader->candidates[reader->ncandidates++].address =
				(residency.index << REGION_SHIFT) + (page << PAGE_SHIFT);
			if (reader->ncandidates == HEADERS)
				err = visit_candidates(reader, visit, context, torn);
		}
	}
	return err < 0 ? err : visit_candidates(reader, visit, context, torn);
}
