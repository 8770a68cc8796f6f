// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/paths.h"

/* The path of the node above all roots. */
#define ABOVE 0

#define NOT_YET UINT32_MAX

/* Paths that are told apart; what comes later is on the path above. */
#define MOST_PATHS (1 << 20)

/* Steps of a path; what is further out is on the path above. */
#define MOST_STEPS 200

/* Names of a path that are shown. */
#define MOST_NAMES 24

/* Steps up that paths__prepare() takes: chains are longer. */
#define PREPARED_LEVELS 32

struct path {
	uint32_t above;
	uint32_t depth;
	const char *name;
	bool repeats; /* a chain */
};

struct paths {
	struct heap *heap;
	const struct graph *graph;
	struct names *names;
	uint32_t *of; /* by node; NOT_YET: not asked for yet */
	uint32_t *stack;
	size_t stack_room;
	struct path *all;
	size_t n, room;
	uint32_t *slots; /* a hash of the paths; 0: free, as that path has none above */
	size_t nslots;	 /* a power of two */
};

int paths__new(struct heap *heap, const struct graph *graph, struct paths **result)
{
	struct paths *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	paths->heap = heap;
	paths->graph = graph;
	paths->names = names__new(heap, graph);
	paths->of = malloc(graph->n * sizeof(*paths->of));
	paths->room = paths->nslots = 1024;
	paths->all = calloc(paths->room, sizeof(*paths->all));
	paths->slots = calloc(paths->nslots, sizeof(*paths->slots));
	if (!paths->names || !paths->of || !paths->all || !paths->slots) {
		paths__free(paths);
		return -ENOMEM;
	}
	memset(paths->of, 0xff, graph->n * sizeof(*paths->of));
	paths->of[graph->n - 1] = ABOVE;
	paths->all[0].name = names__itself;
	paths->n = 1;
	*result = paths;
	return 0;
}

void paths__free(struct paths *paths)
{
	if (!paths)
		return;
	names__free(paths->names);
	free(paths->of);
	free(paths->stack);
	free(paths->all);
	free(paths->slots);
	free(paths);
}

/* Equal names are the same pointer. */
static uint32_t *slot_of(const struct paths *paths, uint32_t above, const char *name)
{
	uint64_t hash = ((uintptr_t)name + above) * 0x9e3779b97f4a7c15ULL >> 20;
	const struct path *path;

	for (;; hash++) {
		path = &paths->all[paths->slots[hash & (paths->nslots - 1)]];
		if (!paths->slots[hash & (paths->nslots - 1)] ||
		    (path->above == above && path->name == name))
			return &paths->slots[hash & (paths->nslots - 1)];
	}
}

/* Doubles the room of both. */
static int grow(struct paths *paths)
{
	size_t i;
	struct path *more = reallocarray(paths->all, 2 * paths->room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	paths->all = more;
	paths->room *= 2;
	free(paths->slots);
	paths->nslots = 2 * paths->room;
	paths->slots = calloc(paths->nslots, sizeof(*paths->slots));
	if (!paths->slots)
		return -ENOMEM;
	for (i = 1; i < paths->n; i++)
		*slot_of(paths, paths->all[i].above, paths->all[i].name) = i;
	return 0;
}

static int64_t below(struct paths *paths, uint32_t above, const char *name)
{
	uint32_t *slot = slot_of(paths, above, name), known = *slot;

	if (known)
		return known;
	if (paths->n == MOST_PATHS || paths->all[above].depth == MOST_STEPS)
		return above;
	if (paths->n == paths->room) {
		if (grow(paths))
			return -ENOMEM;
		slot = slot_of(paths, above, name);
	}
	paths->all[paths->n] =
		(struct path){.above = above, .depth = paths->all[above].depth + 1, .name = name};
	*slot = paths->n;
	return paths->n++;
}

static const char *root_name(const struct root *root)
{
	switch (root->kind) {
	case ROOT_TYPES:
		return "[types]";
	case ROOT_NATIVE:
		return "[native]";
	case ROOT_CYCLES:
		return "[unreachable cycles]";
	default:
		return root->label ? root->label : names__itself;
	}
}

static bool is_object(const struct paths *paths, uint32_t node)
{
	return node < paths->heap->nodes.n && paths->heap->nodes.of[node].type >= 0;
}

bool paths__is_namespace(const struct paths *paths, uint32_t node)
{
	uint32_t parent = paths->graph->parents[node];
	const struct type *type = heap__type(paths->heap, node);

	if (!type || type->kind != KIND_DICT || paths->of[node] == NOT_YET ||
	    paths->of[node] != paths->of[parent])
		return false;
	type = heap__type(paths->heap, parent);
	return type && type->kind != KIND_DICT;
}

static int64_t extend(struct paths *paths, uint32_t node)
{
	uint32_t parent = paths->graph->parents[node], above = paths->of[parent];
	bool is_namespace;
	const char *name;

	if (node >= paths->heap->nodes.n) {
		name = root_name(&paths->graph->roots[node - paths->heap->nodes.n]);
		return name == names__itself ? above : below(paths, above, name);
	}
	is_namespace = paths__is_namespace(paths, parent);
	name = names__of(paths->names, node, is_namespace);
	if (!name)
		return -ENOMEM;
	if (!*name)
		return above;
	if (is_namespace)
		parent = paths->graph->parents[parent];
	if (paths->all[above].name == name && is_object(paths, parent) &&
	    paths->heap->nodes.of[parent].type == paths->heap->nodes.of[node].type) {
		paths->all[above].repeats = true;
		return above;
	}
	return below(paths, above, name);
}

static int push(struct paths *paths, size_t n, uint32_t node)
{
	uint32_t *more;
	size_t room;

	if (n == paths->stack_room) {
		room = 2 * paths->stack_room + 1024;
		more = reallocarray(paths->stack, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		paths->stack = more;
		paths->stack_room = room;
	}
	paths->stack[n] = node;
	return 0;
}

int64_t paths__of(struct paths *paths, uint32_t node)
{
	int64_t path = paths->of[node];
	uint32_t at;
	size_t n = 0;

	for (at = node; paths->of[at] == NOT_YET; at = paths->graph->parents[at]) {
		if (push(paths, n++, at))
			return -ENOMEM;
	}
	while (n && path >= 0) {
		at = paths->stack[--n];
		path = extend(paths, at);
		if (path >= 0)
			paths->of[at] = path;
	}
	return path;
}

static int compare_nodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Returns the parents of n nodes that have no path yet, each once, malloc'ed; NULL: out of memory.
 */
static uint32_t *parents_of(const struct paths *paths, const uint32_t *nodes, size_t n,
			    size_t *nparents)
{
	uint32_t *parents = malloc((n + 1) * sizeof(*parents));
	size_t i, all = 0;
	uint32_t parent;

	*nparents = 0;
	for (i = 0; parents && i < n; i++) {
		parent = paths->graph->parents[nodes[i]];
		if (parent != NO_NODE && paths->of[parent] == NOT_YET)
			parents[all++] = parent;
	}
	if (all)
		qsort(parents, all, sizeof(*parents), compare_nodes);
	for (i = 0; i < all; i++) {
		if (!*nparents || parents[*nparents - 1] != parents[i])
			parents[(*nparents)++] = parents[i];
	}
	return parents;
}

int paths__prepare(struct paths *paths, const uint32_t *nodes, size_t n)
{
	uint32_t *levels[PREPARED_LEVELS];
	size_t counts[PREPARED_LEVELS], depth = 0, i;
	int err = 0;

	while (depth < PREPARED_LEVELS) {
		levels[depth] = parents_of(paths, depth ? levels[depth - 1] : nodes,
					   depth ? counts[depth - 1] : n, &counts[depth]);
		if (!levels[depth])
			err = -ENOMEM;
		if (err || !counts[depth++])
			break;
	}
	while (depth-- > 0) {
		graph__sort_by_parent(paths->graph, levels[depth], counts[depth]);
		for (i = 0; !err && i < counts[depth]; i++)
			err = paths__of(paths, levels[depth][i]) < 0 ? -ENOMEM : 0;
		free(levels[depth]);
	}
	return err;
}

char *paths__text(const struct paths *paths, uint32_t path)
{
	const struct path *parts[MOST_NAMES] = {0}, *part;
	size_t n = 0, size = 1, i;
	bool cut = false;
	char *text;

	for (; path != ABOVE; path = paths->all[path].above) {
		/* What is left out is in the middle: the beginning tells more. */
		cut |= n == MOST_NAMES;
		n -= n == MOST_NAMES;
		parts[n++] = &paths->all[path];
	}
	for (i = 0; i < n; i++)
		size += strlen(parts[i]->name) + 1;
	text = calloc(1, size + sizeof("..."));
	for (i = n; text && i-- > 0;) {
		part = parts[i];
		strcat(text, part->name);
		if (part->repeats)
			strcat(text, "*");
		if (cut && i == n - 1)
			strcat(text, "...");
	}
	return text;
}
