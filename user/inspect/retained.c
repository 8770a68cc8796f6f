// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/retained.h"

static void sum_up(const struct heap *heap, struct retained *retained)
{
	const struct dominators *dominators = &retained->dominators;
	uint32_t node;
	size_t i;

	/* Each comes behind the one that dominates it. */
	for (i = dominators->n; i-- > 1;) {
		node = dominators->order[i];
		retained->bytes[node] += heap__bytes(heap, node);
		retained->bytes[dominators->nearest[node]] += retained->bytes[node];
		retained->first[dominators->nearest[node]]++;
	}
}

static void list_members(size_t n, struct retained *retained)
{
	const struct dominators *dominators = &retained->dominators;
	uint32_t node, sum = 0, count;
	size_t i;

	for (i = 0; i <= n; i++) {
		count = retained->first[i];
		retained->first[i] = sum;
		sum += count;
	}
	for (i = 1; i < dominators->n; i++) {
		node = dominators->order[i];
		retained->members[retained->first[dominators->nearest[node]]++] = node;
	}
	/* Each has moved to where the next one begins. */
	memmove(retained->first + 1, retained->first, n * sizeof(*retained->first));
	retained->first[0] = 0;
}

int retained__new(const struct heap *heap, struct graph *graph, struct retained *retained)
{
	int err;

	memset(retained, 0, sizeof(*retained));
	err = dominators__find(graph->n, &graph->first, &graph->edges, &retained->dominators);
	if (err)
		return err;
	retained->bytes = calloc(graph->n, sizeof(*retained->bytes));
	retained->first = calloc(graph->n + 2, sizeof(*retained->first));
	retained->members = malloc((retained->dominators.n + 1) * sizeof(*retained->members));
	if (!retained->bytes || !retained->first || !retained->members)
		return -ENOMEM;
	sum_up(heap, retained);
	list_members(graph->n, retained);
	return 0;
}

void retained__free(struct retained *retained)
{
	dominators__free(&retained->dominators);
	free(retained->bytes);
	free(retained->first);
	free(retained->members);
	memset(retained, 0, sizeof(*retained));
}
