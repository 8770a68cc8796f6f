// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/graph.h"

int graph__new(const struct nodes *nodes, struct graph *graph)
{
	size_t i;

	*graph = (struct graph){.nodes = nodes, .room = nodes->n + 256};
	graph->first = malloc((graph->room + 1) * sizeof(*graph->first));
	graph->parents = malloc((graph->room + 1) * sizeof(*graph->parents));
	graph->queue = malloc((nodes->n + 1) * sizeof(*graph->queue));
	if (!graph->first || !graph->parents || !graph->queue) {
		graph__free(graph);
		return -ENOMEM;
	}
	graph->first[0] = 0;
	for (i = 0; i < graph->room; i++)
		graph->parents[i] = NO_NODE;
	return 0;
}

void graph__free(struct graph *graph)
{
	size_t i;

	for (i = 0; i < graph->nroots; i++)
		free(graph->roots[i].label);
	free(graph->roots);
	free(graph->first);
	free(graph->edges);
	free(graph->parents);
	free(graph->queue);
	memset(graph, 0, sizeof(*graph));
}

int graph__add_edge(struct graph *graph, uint32_t to)
{
	uint32_t *more;
	size_t room;

	if (graph->nedges == graph->edges_room) {
		room = graph->edges_room + graph->edges_room / 2 + 65536;
		if (room >= UINT32_MAX)
			return -E2BIG;
		more = reallocarray(graph->edges, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		graph->edges = more;
		graph->edges_room = room;
	}
	graph->edges[graph->nedges++] = to;
	return 0;
}

static int make_room(struct graph *graph)
{
	size_t room = graph->room + 1024, i;
	uint32_t *more;

	if (graph->n + 1 < graph->room)
		return 0;
	more = reallocarray(graph->first, room + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	graph->first = more;
	more = reallocarray(graph->parents, room + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	graph->parents = more;
	for (i = graph->room; i < room; i++)
		graph->parents[i] = NO_NODE;
	graph->room = room;
	return 0;
}

int graph__end_node(struct graph *graph)
{
	int err = make_room(graph);

	if (!err)
		graph->first[++graph->n] = graph->nedges;
	return err;
}

/* Breadth first, so that each is reached on the shortest way; the first is its own parent. Returns
 * how many were reached, which are in the queue. */
static size_t reach(struct graph *graph, uint32_t from)
{
	size_t head = 0, tail = 0;
	uint32_t to, i;

	graph->parents[from] = from;
	graph->queue[tail++] = from;
	while (head < tail) {
		from = graph->queue[head++];
		for (i = graph->first[from]; i < graph->first[from + 1]; i++) {
			to = graph->edges[i];
			if (graph->parents[to] != NO_NODE)
				continue;
			graph->parents[to] = from;
			graph->queue[tail++] = to;
		}
	}
	return tail;
}

static bool is_reached(const struct graph *graph, uint32_t node)
{
	return graph->parents[node] != NO_NODE;
}

/*
 * Of all that are reached from the first, then from the next that was not, and so on, the later
 * ones lead to the earlier ones or to others, never the other way round. So from the last to the
 * first, only what is not reached again needs an edge.
 */
int graph__add_sources(struct graph *graph, uint32_t *nodes, size_t n)
{
	uint32_t *visited = malloc((graph->nodes->n + 1) * sizeof(*visited));
	size_t nvisited = 0, nstarts = 0, i, found;
	int err = 0;

	if (!visited)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (is_reached(graph, nodes[i]))
			continue;
		found = reach(graph, nodes[i]);
		memcpy(visited + nvisited, graph->queue, found * sizeof(*visited));
		nvisited += found;
		nodes[nstarts++] = nodes[i];
	}
	for (i = 0; i < nvisited; i++)
		graph->parents[visited[i]] = NO_NODE;
	for (i = nstarts; !err && i-- > 0;) {
		if (is_reached(graph, nodes[i]))
			continue;
		err = graph__add_edge(graph, nodes[i]);
		reach(graph, nodes[i]);
	}
	/* The root itself reaches them, when it ends. */
	for (i = 0; i < nvisited; i++)
		graph->parents[visited[i]] = NO_NODE;
	free(visited);
	return err;
}

int graph__end_root(struct graph *graph, const struct root *root)
{
	struct root *more;
	int err;

	more = reallocarray(graph->roots, graph->nroots + 1, sizeof(*more));
	err = more ? graph__end_node(graph) : -ENOMEM;
	if (more)
		graph->roots = more;
	if (err) {
		free(root->label);
		return err;
	}
	graph->roots[graph->nroots++] = *root;
	reach(graph, graph->n - 1);
	return 0;
}

int graph__end(struct graph *graph)
{
	uint32_t root = graph->nodes->n, *more;
	int err = 0;

	for (; !err && root < graph->nodes->n + graph->nroots; root++)
		err = graph__add_edge(graph, root);
	if (!err)
		err = graph__end_node(graph);
	for (root = graph->nodes->n; !err && root < graph->n - 1; root++)
		graph->parents[root] = graph->n - 1;
	free(graph->queue);
	graph->queue = NULL;
	more = realloc(graph->edges, (graph->nedges + 1) * sizeof(*more));
	graph->edges = more ? more : graph->edges;
	return err;
}

static int compare_parents(const void *a, const void *b, void *parents)
{
	uint32_t x = ((const uint32_t *)parents)[*(const uint32_t *)a];
	uint32_t y = ((const uint32_t *)parents)[*(const uint32_t *)b];

	return x < y ? -1 : x > y;
}

void graph__sort_by_parent(const struct graph *graph, uint32_t *nodes, size_t n)
{
	if (n > 1)
		qsort_r(nodes, n, sizeof(*nodes), compare_parents, graph->parents);
}
