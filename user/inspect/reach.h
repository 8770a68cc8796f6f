/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds the graph of a process: what its objects refer to, and from where they are reached. */
#ifndef REACH_H
#define REACH_H

#include "inspect/graph.h"
#include "inspect/memory.h"
#include "inspect/sizes.h"
#include "inspect/types.h"
#include "target/target.h"

/* A process as it was read. */
struct heap {
	const struct target *target;
	struct object_rules rules;
	struct type_table *types;
	struct memory *memory;
	struct nodes nodes;  /* ordered */
	double next_refresh; /* of the maps, by CLOCK_MONOTONIC */
};

#define FRESH_BYTES 64

/*
 * Returns what object__size() does. A list or a dict that grows has its table elsewhere all the
 * time, maybe in a mapping that is newer than the maps: then those are read again, so ranges that
 * were handed out are gone, and the object into fresh, which has FRESH_BYTES.
 */
uint64_t heap__size(struct heap *heap, struct object *object, uint8_t *fresh,
		    struct tables *tables);

/* Returns 0, -ENOMEM, -E2BIG, or -EINTR if a signal was caught since signals__count() was that. */
int reach__build(struct heap *heap, int signals, struct graph *graph);

/* Reads the beginning of a node's object, up to size bytes. Returns false for what is no object, or
 * is it no more. */
bool heap__read_object(const struct heap *heap, uint32_t node, uint8_t *bytes, size_t size,
		       struct object *object);

/* Bytes that are allocated for a node, the heads in front of it included. */
uint64_t heap__bytes(const struct heap *heap, uint32_t node);

/* What a node's object is, or that at an address; NULL: no object. */
const struct type *heap__type(const struct heap *heap, uint32_t node);
const struct type *heap__type_at(const struct heap *heap, uint64_t address);

#endif /* REACH_H */
