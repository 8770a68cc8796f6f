// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/signals.h"
#include "inspect/holders.h"
#include "inspect/paths.h"

/* Holders in holders that are shown. */
#define MOST_DEPTH 64

/* Nodes between two looks whether a signal was caught. */
#define SIGNAL_NODES 4096

struct finder {
	const struct heap *heap;
	const struct graph *graph;
	const struct retained *retained;
	struct paths *paths;
	uint64_t least; /* bytes of a holder that is looked into */
	int signals;
};

/* Objects with a path and a type, while they are collected. */
struct group {
	uint32_t path;
	int32_t type;
	struct holder holder;
	uint32_t *nodes;
	size_t n, room;
};

struct groups {
	struct group *of;
	size_t n, room;
	uint32_t *slots; /* a hash of them, the group's index + 1 */
	size_t nslots;
};

static int add_node(struct group *group, uint32_t node)
{
	uint32_t *more;
	size_t room;

	if (group->n == group->room) {
		room = group->room + group->room / 2 + 4;
		more = reallocarray(group->nodes, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		group->nodes = more;
		group->room = room;
	}
	group->nodes[group->n++] = node;
	return 0;
}

static uint32_t *slot_of(const struct groups *groups, uint32_t path, int32_t type)
{
	uint64_t hash = ((uint64_t)path << 32 | (uint32_t)type) * 0x9e3779b97f4a7c15ULL >> 24;
	uint32_t *slot;

	for (;; hash++) {
		slot = &groups->slots[hash & (groups->nslots - 1)];
		if (!*slot ||
		    (groups->of[*slot - 1].path == path && groups->of[*slot - 1].type == type))
			return slot;
	}
}

static int grow(struct groups *groups)
{
	size_t room = groups->room ? 2 * groups->room : 16, i;
	struct group *more = reallocarray(groups->of, room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	groups->of = more;
	groups->room = room;
	groups->nslots = 4 * room;
	free(groups->slots);
	groups->slots = calloc(groups->nslots, sizeof(*groups->slots));
	if (!groups->slots)
		return -ENOMEM;
	for (i = 0; i < groups->n; i++)
		*slot_of(groups, more[i].path, more[i].type) = i + 1;
	return 0;
}

static struct group *group_of(struct groups *groups, uint32_t path, int32_t type)
{
	uint32_t *slot;

	if (groups->n == groups->room && grow(groups))
		return NULL;
	slot = slot_of(groups, path, type);
	if (!*slot) {
		groups->of[groups->n] = (struct group){.path = path, .type = type};
		*slot = ++groups->n;
	}
	return &groups->of[*slot - 1];
}

static void free_groups(struct groups *groups)
{
	size_t i;

	for (i = 0; i < groups->n; i++) {
		free(groups->of[i].nodes);
		free(groups->of[i].holder.path);
	}
	free(groups->of);
	free(groups->slots);
}

/* Modules are as if the process itself held them; other roots are holders of their own. */
static bool is_passed_through(const struct finder *finder, uint32_t node)
{
	const struct nodes *nodes = &finder->heap->nodes;

	if (node >= nodes->n)
		return node < graph__top(finder->graph) &&
		       finder->graph->roots[node - nodes->n].kind == ROOT_MODULES;
	return nodes->of[node].type < 0;
}

/* Sorts one node that a member of the group dominates. What is no object is the member's own, and
 * so is the dict of its attributes; what is on the member's own path continues the group: a chain.
 */
static int sort_in(struct finder *finder, struct group *group, uint32_t node, struct groups *inner)
{
	int32_t type = node < finder->heap->nodes.n ? finder->heap->nodes.of[node].type : NODE_LEAF;
	int64_t path;
	struct group *into;

	if (is_passed_through(finder, node)) {
		group->holder.bytes += heap__bytes(finder->heap, node);
		return add_node(group, node);
	}
	path = paths__of(finder->paths, node);
	if (path < 0)
		return path;
	if (paths__is_namespace(finder->paths, node)) {
		group->holder.bytes += heap__bytes(finder->heap, node);
		return add_node(group, node);
	}
	if (path == group->path && type == group->type && type >= 0) {
		group->holder.count++;
		group->holder.bytes += heap__bytes(finder->heap, node);
		return add_node(group, node);
	}
	into = group_of(inner, path, type);
	if (!into)
		return -ENOMEM;
	into->holder.count++;
	into->holder.bytes += heap__bytes(finder->heap, node);
	into->holder.retained_bytes += finder->retained->bytes[node];
	return add_node(into, node);
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->retained_bytes != y->retained_bytes)
		return x->retained_bytes > y->retained_bytes ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int look_into(struct finder *finder, struct group *group, unsigned int depth);

/* Makes a holder of each group that holds enough. */
static int make_holders(struct finder *finder, struct holder *holder, struct groups *inner,
			unsigned int depth)
{
	struct group *group;
	size_t i;
	int err = 0;

	holder->holders = calloc(inner->n + 1, sizeof(*holder->holders));
	if (!holder->holders)
		return -ENOMEM;
	for (i = 0; !err && i < inner->n; i++) {
		group = &inner->of[i];
		if (group->holder.retained_bytes < finder->least)
			continue;
		group->holder.type =
			group->type >= 0
				? type_table__numbered(finder->heap->types, group->type)->name
				: "";
		if (depth)
			err = look_into(finder, group, depth - 1);
		/* Only now is known whether it is a chain. */
		group->holder.path = paths__text(finder->paths, group->path);
		if (!err && !group->holder.path)
			err = -ENOMEM;
		holder->holders[holder->nholders++] = group->holder;
		group->holder.path = NULL;
	}
	if (!err)
		qsort(holder->holders, holder->nholders, sizeof(*holder->holders), compare_holders);
	return err;
}

static int look_into(struct finder *finder, struct group *group, unsigned int depth)
{
	struct groups inner = {0};
	uint32_t node, at;
	size_t i;
	int err = 0;

	/* More nodes come in meanwhile. */
	for (i = 0; !err && i < group->n; i++) {
		node = group->nodes[i];
		/* Names are found for one parent at a time. */
		graph__sort_by_parent(finder->graph,
				      finder->retained->members + finder->retained->first[node],
				      finder->retained->first[node + 1] -
					      finder->retained->first[node]);
		for (at = finder->retained->first[node];
		     !err && at < finder->retained->first[node + 1]; at++)
			err = sort_in(finder, group, finder->retained->members[at], &inner);
		if (i % SIGNAL_NODES == 0 && signals__count() != finder->signals)
			err = -EINTR;
	}
	free(take(group->nodes));
	if (!err)
		err = make_holders(finder, &group->holder, &inner, depth);
	free_groups(&inner);
	return err;
}

int holders__find(const struct heap *heap, const struct graph *graph,
		  const struct retained *retained, struct paths *paths, int signals,
		  struct holder **result)
{
	struct finder finder = {heap, graph, retained, paths, 0, signals};
	uint32_t top = graph__top(graph);
	struct group group = {.type = NODE_LEAF};
	struct holder *all = calloc(1, sizeof(*all));
	int err = all ? add_node(&group, top) : -ENOMEM;

	group.holder.retained_bytes = retained->bytes[top];
	group.holder.type = "";
	group.holder.path = strdup("");
	finder.least = retained->bytes[top] / LEAST_HOLDER;
	if (!err)
		err = group.holder.path ? look_into(&finder, &group, MOST_DEPTH) : -ENOMEM;
	free(group.nodes);
	if (all)
		*all = group.holder;
	else
		free(group.holder.path);
	if (err) {
		holders__free(all);
		return err;
	}
	*result = all;
	return 0;
}

const char *holder__path_in(const struct holder *holder, const struct holder *above)
{
	size_t length = above ? strlen(above->path) : 0;

	return length && !strncmp(holder->path, above->path, length) ? holder->path + length
								     : holder->path;
}

static void free_inner(struct holder *holder)
{
	size_t i;

	for (i = 0; i < holder->nholders; i++)
		free_inner(&holder->holders[i]);
	free(holder->holders);
	free(holder->path);
}

void holders__free(struct holder *all)
{
	if (all)
		free_inner(all);
	free(all);
}
