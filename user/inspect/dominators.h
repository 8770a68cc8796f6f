/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each node of a graph alone keeps alive: a node dominates another if every way from the last
 * node of the graph, the root, leads through it. The algorithm is Semi-NCA, of L. Georgiadis,
 * Linear- Time Algorithms for Dominators and Related Problems, Princeton 2005, chapter 2.
 */
#ifndef DOMINATORS_H
#define DOMINATORS_H

#include <stddef.h>
#include <stdint.h>

struct dominators {
	size_t n;	   /* nodes that are reached, the root included */
	uint32_t *order;   /* those nodes, each behind the one that dominates it */
	uint32_t *nearest; /* by node: the nearest that dominates it; UINT32_MAX: the root, or one
			      that is not reached */
};

/*
 * Of n nodes, node i has the edges first[i] to first[i + 1]; the root is n - 1. Frees both as soon
 * as it can, and sets them to NULL. Returns 0 or -ENOMEM.
 */
int dominators__find(size_t n, uint32_t **first, uint32_t **edges, struct dominators *dominators);
void dominators__free(struct dominators *dominators);

#endif /* DOMINATORS_H */
