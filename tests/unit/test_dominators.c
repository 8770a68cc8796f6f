// SPDX-License-Identifier: BSD-2-Clause
/* Dominators of random graphs, compared with what they are by definition: a node dominates those
 * that cannot be reached without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/dominators.h"

#define MOST_NODES 40
#define MOST_EDGES 160
#define GRAPHS	   3000

struct random_graph {
	size_t n;
	uint32_t first[MOST_NODES + 1];
	uint32_t edges[MOST_EDGES];
};

static void make(struct random_graph *graph)
{
	size_t nedges = 0, i, k, degree;

	graph->n = 2 + rand() % (MOST_NODES - 2);
	for (i = 0; i < graph->n; i++) {
		graph->first[i] = nedges;
		degree = rand() % 4;
		for (k = 0; k < degree && nedges < MOST_EDGES; k++)
			graph->edges[nedges++] = rand() % graph->n;
	}
	graph->first[graph->n] = nedges;
}

/* Which nodes the last one reaches if one is taken away. */
static void reach(const struct random_graph *graph, uint32_t without, bool *reached)
{
	uint32_t stack[MOST_EDGES + 1], node, i;
	size_t n = 0;

	memset(reached, 0, MOST_NODES * sizeof(*reached));
	if (without == graph->n - 1)
		return;
	reached[graph->n - 1] = true;
	stack[n++] = graph->n - 1;
	while (n) {
		node = stack[--n];
		for (i = graph->first[node]; i < graph->first[node + 1]; i++) {
			if (graph->edges[i] == without || reached[graph->edges[i]])
				continue;
			reached[graph->edges[i]] = true;
			stack[n++] = graph->edges[i];
		}
	}
}

static bool dominates(const struct dominators *dominators, uint32_t above, uint32_t node)
{
	for (; node != UINT32_MAX; node = dominators->nearest[node]) {
		if (node == above)
			return true;
	}
	return false;
}

static void check_graph(const struct random_graph *graph)
{
	uint32_t *edges = malloc(MOST_EDGES * sizeof(*edges)), node, without;
	uint32_t *first = malloc((MOST_NODES + 1) * sizeof(*first));
	bool all[MOST_NODES], left[MOST_NODES];
	struct dominators dominators;
	size_t nreached = 0, i;

	memcpy(edges, graph->edges, MOST_EDGES * sizeof(*edges));
	memcpy(first, graph->first, (graph->n + 1) * sizeof(*first));
	assert_int_equal(dominators__find(graph->n, &first, &edges, &dominators), 0);
	assert_null(first);
	assert_null(edges);
	reach(graph, UINT32_MAX, all);
	for (node = 0; node < graph->n; node++)
		nreached += all[node];
	assert_int_equal(dominators.n, nreached);
	for (i = 0; i < dominators.n; i++)
		assert_true(all[dominators.order[i]]);
	for (without = 0; without < graph->n; without++) {
		reach(graph, without, left);
		for (node = 0; node < graph->n; node++) {
			if (all[node])
				assert_int_equal(dominates(&dominators, without, node),
						 !left[node]);
			else
				assert_int_equal(dominators.nearest[node], UINT32_MAX);
		}
	}
	dominators__free(&dominators);
}

static void random_graphs(void **state)
{
	struct random_graph graph;
	int i;

	(void)state;
	srand(1);
	for (i = 0; i < GRAPHS; i++) {
		make(&graph);
		check_graph(&graph);
	}
}

/* A chain as long as a list that a program links by hand: nothing here may recurse. */
static void long_chain(void **state)
{
	const size_t n = 1000000;
	uint32_t *first = malloc((n + 1) * sizeof(*first)), *edges = malloc(n * sizeof(*edges));
	struct dominators dominators;
	size_t i;

	(void)state;
	for (i = 0; i <= n; i++)
		first[i] = i ? i - 1 : 0;
	for (i = 0; i < n; i++)
		edges[i] = i;
	assert_int_equal(dominators__find(n, &first, &edges, &dominators), 0);
	assert_int_equal(dominators.n, n);
	for (i = 0; i < n - 1; i++)
		assert_int_equal(dominators.nearest[i], i + 1);
	dominators__free(&dominators);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_graphs),
		cmocka_unit_test(long_chain),
	};

	return cmocka_run_group_tests_name("dominators", tests, NULL, NULL);
}
