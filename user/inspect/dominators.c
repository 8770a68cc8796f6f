// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	uint32_t *path;	       /* room for what is compressed */
};

static uint32_t *words(size_t n)
{
	return malloc((n + 1) * sizeof(uint32_t));
}

/* Without recursion: cursor has the next edge of each node that is not finished. */
static int search_depth_first(struct search *search, size_t nnodes, const uint32_t *first,
			      const uint32_t *edges, uint32_t *number)
{
	uint32_t *cursor = words(nnodes), at = 0, node = nnodes - 1, to;

	search->node = words(nnodes);
	search->parent = words(nnodes);
	if (!cursor || !search->node || !search->parent) {
		free(cursor);
		return -ENOMEM;
	}
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
	free(cursor);
	return 0;
}

static int turn_edges(struct search *search, const uint32_t *first, const uint32_t *edges,
		      const uint32_t *number)
{
	size_t i, sum = 0, count;
	uint32_t edge, node;

	search->pred_first = calloc(search->n + 2, sizeof(*search->pred_first));
	if (!search->pred_first)
		return -ENOMEM;
	for (i = 0; i < search->n; i++) {
		node = search->node[i];
		for (edge = first[node]; edge < first[node + 1]; edge++)
			search->pred_first[number[edges[edge]]]++;
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
			search->preds[search->pred_first[number[edges[edge]]]++] = i;
	}
	/* Each has moved to where the next one begins. */
	memmove(search->pred_first + 1, search->pred_first,
		search->n * sizeof(*search->pred_first));
	search->pred_first[0] = 0;
	return 0;
}

/* The one with the least semidominator on the way up from v, among those that are linked: numbers
 * from last on. */
static uint32_t evaluate(struct search *s, uint32_t v, uint32_t last)
{
	uint32_t above, best;
	size_t n = 0;

	if (s->parent[v] < last)
		return s->best[v];
	for (; s->parent[v] >= last; v = s->parent[v])
		s->path[n++] = v;
	above = v;
	best = s->best[v];
	while (n) {
		v = s->path[--n];
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

int dominators__find(size_t n, uint32_t **first, uint32_t **edges, struct dominators *dominators)
{
	struct search search = {0};
	uint32_t *number = words(n), i; /* by node */
	int err = number ? search_depth_first(&search, n, *first, *edges, number) : -ENOMEM;

	if (!err)
		err = turn_edges(&search, *first, *edges, number);
	free(*first);
	free(*edges);
	*first = *edges = NULL;
	/* The numbers are not needed any more. */
	search.path = number;
	if (!err)
		err = find_semidominators(&search);
	if (!err) {
		find_dominators(&search);
		memset(number, 0xff, n * sizeof(*number));
		for (i = 1; i < search.n; i++)
			number[search.node[i]] = search.node[search.dominator[i]];
		*dominators = (struct dominators){search.n, search.node, number};
	} else {
		free(number);
		free(search.node);
	}
	free(search.pred_first);
	free(search.preds);
	free(search.parent);
	free(search.semi);
	free(search.best);
	free(search.dominator);
	return err;
}

void dominators__free(struct dominators *dominators)
{
	free(dominators->order);
	free(dominators->nearest);
	memset(dominators, 0, sizeof(*dominators));
}
