/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which node refers to which, and from where all of them are reached: the graph that dominators.h
 * takes. Its nodes are those of nodes.h, then the roots, and last one that leads to all roots. Each
 * is reached on the shortest way from the first root that reaches it.
 */
#ifndef GRAPH_H
#define GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "inspect/nodes.h"

enum root_kind {
	ROOT_MODULES,
	ROOT_STATIC, /* static data of a file */
	ROOT_FRAME,
	ROOT_TYPES,  /* types that only their objects refer to */
	ROOT_NATIVE, /* what has more references than were found: C code has the others */
	ROOT_CYCLES, /* what only refers to itself: the garbage collector would free it */
};

struct root {
	enum root_kind kind;
	char *label;	/* of a file, or a frame; else NULL */
	uint64_t frame; /* ROOT_FRAME: its address, and its code's; else 0 */
	uint64_t code;
};

struct graph {
	const struct nodes *nodes;
	struct root *roots;
	size_t nroots;
	uint32_t *first; /* of each node: its first edge; one more than there are nodes */
	size_t n, room;	 /* nodes that have their edges */
	uint32_t *edges; /* where they lead */
	size_t nedges, edges_room;
	uint32_t *parents; /* on the shortest way; NO_NODE: not reached */
	uint32_t *queue;
};

/* Returns 0 or -ENOMEM; -E2BIG: too many edges. */
int graph__new(const struct nodes *nodes, struct graph *graph);
void graph__free(struct graph *graph);

/* Edges of the node that is the next to get any; without a node: of none, or of the next root. */
int graph__add_edge(struct graph *graph, uint32_t to);
int graph__end_node(struct graph *graph);

/* Adds edges to as few of these nodes as lead to all of them that are not reached yet: of what
 * refers to each other, to the first. Reorders them. */
int graph__add_sources(struct graph *graph, uint32_t *nodes, size_t n);

/* Ends a root, whose edges have been added, and reaches all that it leads to. Takes the label. */
int graph__end_root(struct graph *graph, const struct root *root);

/* Adds the last node, above all roots. */
int graph__end(struct graph *graph);

/* Sorts n nodes by their parent. */
void graph__sort_by_parent(const struct graph *graph, uint32_t *nodes, size_t n);

/* That last node. */
static inline uint32_t graph__top(const struct graph *graph)
{
	return graph->n - 1;
}

#endif /* GRAPH_H */
