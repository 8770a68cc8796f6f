/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process has allocated, by address: its objects, and the blocks that are no objects, such
 * as their tables, or what C code keeps. 16 bytes for each.
 */
#ifndef NODES_H
#define NODES_H

#include <stddef.h>
#include <stdint.h>

/* In the place of a type's number. */
enum {
	NODE_BLOCK = -1, /* no object: each word may refer to one */
	NODE_TABLE = -2, /* of an object, which refers to what is in it */
	NODE_LEAF = -3,	 /* refers to nothing: a dead object that waits to be used again */
};

struct node {
	uint64_t address; /* of an object, behind its heads */
	int32_t type;	  /* struct type's number, or one of the above */
	uint32_t words;	  /* of 8 bytes, from there to the end of what is allocated for it */
};

#define NO_NODE UINT32_MAX

struct nodes {
	struct node *of; /* by address, once they are ordered */
	size_t n, room;
	size_t nsorted; /* from the beginning */
	/* Where the tables of objects are. */
	uint64_t *claims;
	size_t nclaims, claims_room;
	/* By region of 16 KiB, the first node in it: open addressing, NO_NODE where there is none.
	 */
	struct node_region {
		uint64_t region;
		uint32_t first;
	} * regions;
	size_t regions_room; /* a power of two */
	uint64_t multiplier; /* odd, and random: a process must not choose what collides */
};

/* Return 0, -ENOMEM, or -E2BIG if there are too many. bytes: from there to the end of the block. */
int nodes__add(struct nodes *nodes, uint64_t address, int32_t type, uint64_t bytes);

/* The block at that address, or around it, is an object's table. */
int nodes__claim(struct nodes *nodes, uint64_t address);

/* Sorts them, and leaves out blocks that cannot be there, as they overlap others. Once, when all
 * have been added; 0 or -ENOMEM. */
int nodes__order(struct nodes *nodes);

void nodes__free(struct nodes *nodes);

/* The node at an address; that around it. NO_NODE: none. Only when they are ordered. */
uint32_t nodes__at(const struct nodes *nodes, uint64_t address);
uint32_t nodes__around(const struct nodes *nodes, uint64_t address);

#endif /* NODES_H */
