// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "inspect/nodes.h"

#define REGION_BITS 14

int nodes__add(struct nodes *nodes, uint64_t address, int32_t type, uint64_t bytes)
{
	uint64_t words = (bytes + 7) / 8;
	struct node *more;
	size_t room;

	if (nodes->n == nodes->room) {
		room = nodes->room + nodes->room / 2 + 4096;
		if (room >= NO_NODE)
			return -E2BIG;
		more = reallocarray(nodes->of, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		nodes->of = more;
		nodes->room = room;
	}
	if (nodes->nsorted == nodes->n && (!nodes->n || nodes->of[nodes->n - 1].address < address))
		nodes->nsorted++;
	nodes->of[nodes->n++] =
		(struct node){address, type, words < UINT32_MAX ? words : UINT32_MAX};
	return 0;
}

int nodes__claim(struct nodes *nodes, uint64_t address)
{
	uint64_t *more;
	size_t room;

	if (nodes->nclaims == nodes->claims_room) {
		room = nodes->claims_room + nodes->claims_room / 2 + 4096;
		more = reallocarray(nodes->claims, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		nodes->claims = more;
		nodes->claims_room = room;
	}
	nodes->claims[nodes->nclaims++] = address;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* An object before a block, and that before a table: its size is what was allocated. */
	return x->type > y->type ? -1 : x->type < y->type;
}

/* Those in pools came in order; the others are sorted, and merged with them. */
static int sort(struct nodes *nodes)
{
	size_t n = nodes->n - nodes->nsorted, i = nodes->nsorted, at = nodes->n;
	struct node *tail = nodes->of + nodes->nsorted, *copy;

	if (!n)
		return 0;
	qsort(tail, n, sizeof(*tail), compare);
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, tail, n * sizeof(*copy));
	while (n) {
		if (i && compare(&nodes->of[i - 1], &copy[n - 1]) > 0)
			nodes->of[--at] = nodes->of[--i];
		else
			nodes->of[--at] = copy[--n];
	}
	free(copy);
	return 0;
}

static uint64_t end_of(const struct node *node)
{
	return node->address + 8 * (uint64_t)node->words;
}

/* A block was taken for one by what lies before it, which may be anything: where an object begins
 * in it, or it lies in what was found before, there is none. Nor is there an object in another. */
static void drop_overlapping(struct nodes *nodes)
{
	uint64_t end = 0, object_end = 0;
	const struct node *node, *next;
	size_t i, n = 0;

	for (i = 0; i < nodes->n; i++) {
		node = &nodes->of[i];
		next = i + 1 < nodes->n ? node + 1 : NULL;
		if (node->address < (node->type < 0 ? end : object_end) ||
		    (n && nodes->of[n - 1].address == node->address) ||
		    (node->type < 0 && next && next->type >= 0 && next->address < end_of(node)))
			continue;
		if (end_of(node) > end)
			end = end_of(node);
		if (node->type >= 0 && end_of(node) > object_end)
			object_end = end_of(node);
		nodes->of[n++] = *node;
	}
	nodes->n = n;
}

static size_t slot_of(const struct nodes *nodes, uint64_t region)
{
	size_t slot = region * nodes->multiplier >> 20 & (nodes->regions_room - 1);

	while (nodes->regions[slot].first != NO_NODE && nodes->regions[slot].region != region)
		slot = (slot + 1) & (nodes->regions_room - 1);
	return slot;
}

static int index_regions(struct nodes *nodes)
{
	size_t i, n = 0;

	for (i = 0; i < nodes->n; i++)
		n += !i ||
		     nodes->of[i].address >> REGION_BITS != nodes->of[i - 1].address >> REGION_BITS;
	for (nodes->regions_room = 64; nodes->regions_room < 2 * n;)
		nodes->regions_room *= 2;
	nodes->regions = malloc(nodes->regions_room * sizeof(*nodes->regions));
	if (!nodes->regions)
		return -ENOMEM;
	if (getrandom(&nodes->multiplier, sizeof(nodes->multiplier), 0) < 0)
		nodes->multiplier = 0x9fb21c651e98df25ULL;
	nodes->multiplier |= 1;
	for (i = 0; i < nodes->regions_room; i++)
		nodes->regions[i].first = NO_NODE;
	for (i = nodes->n; i-- > 0;)
		nodes->regions[slot_of(nodes, nodes->of[i].address >> REGION_BITS)] =
			(struct node_region){nodes->of[i].address >> REGION_BITS, i};
	return 0;
}

int nodes__order(struct nodes *nodes)
{
	struct node *more;
	uint32_t node;
	size_t i;
	int err = sort(nodes);

	if (err)
		return err;
	drop_overlapping(nodes);
	err = index_regions(nodes);
	for (i = 0; !err && i < nodes->nclaims; i++) {
		node = nodes__around(nodes, nodes->claims[i]);
		if (node != NO_NODE && nodes->of[node].type == NODE_BLOCK)
			nodes->of[node].type = NODE_TABLE;
	}
	/* What follows takes as much again. */
	more = realloc(nodes->of, (nodes->n + 1) * sizeof(*more));
	nodes->of = more ? more : nodes->of;
	nodes->room = nodes->n;
	free(nodes->claims);
	nodes->claims = NULL;
	nodes->nclaims = nodes->claims_room = 0;
	return err;
}

void nodes__free(struct nodes *nodes)
{
	free(nodes->of);
	free(nodes->claims);
	free(nodes->regions);
	memset(nodes, 0, sizeof(*nodes));
}

/* The last node at that address or before it, of those from low on and before high; low, if none
 * is. */
static uint32_t last_until(const struct nodes *nodes, uint32_t low, uint32_t high, uint64_t address)
{
	uint32_t middle;

	while (low + 1 < high) {
		middle = low + (high - low) / 2;
		if (nodes->of[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Behind the last node of a region, or further on. */
static uint32_t end_of_region(const struct nodes *nodes, uint32_t first)
{
	uint64_t end = ((nodes->of[first].address >> REGION_BITS) + 1) << REGION_BITS;
	uint32_t step = 1;

	/* A region has up to a thousand. */
	while (first + step < nodes->n && nodes->of[first + step].address < end && step < 1024)
		step *= 2;
	return first + step < nodes->n ? first + step : nodes->n;
}

uint32_t nodes__at(const struct nodes *nodes, uint64_t address)
{
	const struct node_region *region;
	uint32_t node;

	if (!nodes->n)
		return NO_NODE;
	region = &nodes->regions[slot_of(nodes, address >> REGION_BITS)];
	if (region->first == NO_NODE)
		return NO_NODE;
	node = last_until(nodes, region->first, end_of_region(nodes, region->first), address);
	return nodes->of[node].address == address ? node : NO_NODE;
}

uint32_t nodes__around(const struct nodes *nodes, uint64_t address)
{
	uint32_t node = nodes__at(nodes, address);

	if (node != NO_NODE || !nodes->n || address < nodes->of[0].address)
		return node;
	node = last_until(nodes, 0, nodes->n, address);
	return address < end_of(&nodes->of[node]) ? node : NO_NODE;
}
