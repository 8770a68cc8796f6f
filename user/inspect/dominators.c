// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inspect/dominators.h"

#define NONE UINT32_MAX

/* Everything here is in the order of a depth-first search: nodes are numbered from 0, the root, as
 * they are reached. */
struct search {
	size_t n;
	uint32_t *node;	       /* by number */
	uint32_t *parent;      /* in the search's tree; compressed later */
	uint32_t *pred_first;  /* of each number: the first in preds */
	uint32_t *preds;       /* numbers of those that refer to it */
	uint32_t *semi, *best; /* its semidominator; the one with the least semi above it */
	uint32_t *dominator;   /* the nearest */
};

static uint32_t *words(size_t n)
{
	return malloc((n + 1) * sizeof(uint32_t));
}

/* Without recursion: cursor has the next edge of each node that is not finished. */
static int search_depth_first(struct search *search, size_t nnodes, const uint32_t *first,
			      const uint32_t *edges, uint32_t *number)
{
	auto_free uint32_t *cursor = words(nnodes);
	uint32_t at = 0, node = nnodes - 1, to;

	search->node = words(nnodes);
	search->parent = words(nnodes);
	if (!cursor || !search->node || !search->parent)
		return -ENOMEM;
	memset(number, 0xff, nnodes * sizeof(*number));
	number[node] = 0;
	search->node[0] = node;
	search->parent[0] = 0;
	search->n = 1;
	cursor[node] = first[node];
	for (;;) {
		node = search->node[at];
		if (cursor[node] == first[node + 1]) {
			if (!at)
				break;
			at = search->parent[at];
			continue;
		}
		to = edges[cursor[node]++];
		if (number[to] != NONE)
			continue;
		number[to] = search->n;
		search->node[search->n] = to;
		search->parent[search->n] = at;
		cursor[to] = first[to];
		at = search->n++;
	}
	return 0;
}

/* Numbers the nodes, and lets the edges lead to numbers. */
static int number_edges(struct search *search, size_t nnodes, const uint32_t *first,
			uint32_t *edges)
{
	auto_free uint32_t *number = words(nnodes);
	int err = number ? search_depth_first(search, nnodes, first, edges, number) : -ENOMEM;
	size_t i;

	for (i = 0; !err && i < first[nnodes]; i++)
		edges[i] = number[edges[i]];
	return err;
}

/* The edges lead to numbers. */
static int turn_edges(struct search *search, const uint32_t *first, const uint32_t *edges)
{
	size_t i, sum = 0, count;
	uint32_t edge, node;

	search->pred_first = calloc(search->n + 2, sizeof(*search->pred_first));
	if (!search->pred_first)
		return -ENOMEM;
	for (i = 0; i < search->n; i++) {
		node = search->node[i];
		for (edge = first[node]; edge < first[node + 1]; edge++)
			search->pred_first[edges[edge]]++;
	}
	for (i = 0; i <= search->n; i++) {
		count = search->pred_first[i];
		search->pred_first[i] = sum;
		sum += count;
	}
	search->preds = words(sum);
	if (!search->preds)
		return -ENOMEM;
	for (i = 0; i < search->n; i++) {
		node = search->node[i];
		for (edge = first[node]; edge < first[node + 1]; edge++)
			search->preds[search->pred_first[edges[edge]]++] = i;
	}
	/* Each has moved to where the next one begins. */
	memmove(search->pred_first + 1, search->pred_first,
		search->n * sizeof(*search->pred_first));
	search->pred_first[0] = 0;
	return 0;
}

/* The one with the least semidominator on the way up from v, among those that are linked: numbers
 * from last on. The way is then compressed, on the way down, which meanwhile stands in the parents.
 */
static uint32_t evaluate(struct search *s, uint32_t v, uint32_t last)
{
	uint32_t above, best, below = NONE;

	if (s->parent[v] < last)
		return s->best[v];
	while (s->parent[v] >= last) {
		above = s->parent[v];
		s->parent[v] = below;
		below = v;
		v = above;
	}
	above = v;
	best = s->best[v];
	while (below != NONE) {
		v = below;
		below = s->parent[v];
		s->parent[v] = s->parent[above];
		if (s->semi[best] < s->semi[s->best[v]])
			s->best[v] = best;
		else
			best = s->best[v];
		above = v;
	}
	return s->best[v];
}

static int find_semidominators(struct search *s)
{
	uint32_t i, edge, least;

	s->semi = words(s->n);
	s->best = words(s->n);
	s->dominator = words(s->n);
	if (!s->semi || !s->best || !s->dominator)
		return -ENOMEM;
	for (i = 0; i < s->n; i++) {
		s->dominator[i] = s->parent[i];
		s->semi[i] = s->best[i] = i;
	}
	for (i = s->n - 1; i > 0; i--) {
		s->semi[i] = s->parent[i];
		for (edge = s->pred_first[i]; edge < s->pred_first[i + 1]; edge++) {
			least = s->semi[evaluate(s, s->preds[edge], i + 1)];
			if (least < s->semi[i])
				s->semi[i] = least;
		}
	}
	return 0;
}

static void find_dominators(struct search *s)
{
	uint32_t i, at;

	for (i = 1; i < s->n; i++) {
		at = s->dominator[i];
		while (at > s->semi[i])
			at = s->dominator[at];
		s->dominator[i] = at;
	}
}

/* Hands over what was found. */
static int give(struct search *search, size_t nnodes, struct dominators *dominators)
{
	uint32_t *nearest = words(nnodes), i;

	if (!nearest)
		return -ENOMEM;
	memset(nearest, 0xff, nnodes * sizeof(*nearest));
	for (i = 1; i < search->n; i++)
		nearest[search->node[i]] = search->node[search->dominator[i]];
	*dominators = (struct dominators){search->n, search->node, nearest};
	search->node = NULL;
	return 0;
}

int dominators__find(size_t n, uint32_t **first, uint32_t **edges, struct dominators *dominators)
{
	struct search search = {0};
	int err = number_edges(&search, n, *first, *edges);

	if (!err)
		err = turn_edges(&search, *first, *edges);
	free(*first);
	free(*edges);
	*first = *edges = NULL;
	if (!err)
		err = find_semidominators(&search);
	free(search.pred_first);
	free(search.preds);
	free(search.parent);
	free(search.best);
	if (!err) {
		find_dominators(&search);
		err = give(&search, n, dominators);
	}
	free(search.semi);
	free(search.dominator);
	free(search.node);
	return err;
}

void dominators__free(struct dominators *dominators)
{
	free(dominators->order);
	free(dominators->nearest);
	memset(dominators, 0, sizeof(*dominators));
}
