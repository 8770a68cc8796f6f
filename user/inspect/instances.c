// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "inspect/describe.h"
#include "inspect/instances.h"

/* Nodes that lie between an instance of a type and another that keeps it alive. */
#define BETWEEN 16

struct finder {
	const struct heap *heap;
	const struct graph *graph;
	const struct retained *retained;
	struct paths *paths;
	const char *type;
	uint32_t *rows; /* by number of the path, its row + 1 */
	size_t nrows;
	struct instances *instances;
};

static bool is_name(const char *name, const char *asked)
{
	const char *dot = strrchr(name, '.');

	return !strcmp(name, asked) || (dot && !strcmp(dot + 1, asked));
}

static bool is_instance(const struct finder *finder, uint32_t node)
{
	const struct type *type = heap__type(finder->heap, node);

	return type && is_name(type->name, finder->type);
}

/* Whether another instance keeps this one alive: then what it retains is counted already. */
static bool is_in_another(const struct finder *finder, uint32_t node)
{
	int i;

	for (i = 0; i < BETWEEN; i++) {
		node = finder->retained->dominators.nearest[node];
		if (node == UINT32_MAX)
			return false;
		if (is_instance(finder, node))
			return true;
	}
	return false;
}

static struct instances_path *row_of(struct finder *finder, uint32_t path)
{
	struct instances *instances = finder->instances;
	struct instances_path *more;
	uint32_t *rows;
	size_t n;

	if (path >= finder->nrows) {
		n = 2 * (size_t)path + 64;
		rows = reallocarray(finder->rows, n, sizeof(*rows));
		if (!rows)
			return NULL;
		memset(rows + finder->nrows, 0, (n - finder->nrows) * sizeof(*rows));
		finder->rows = rows;
		finder->nrows = n;
	}
	if (!finder->rows[path]) {
		more = reallocarray(instances->paths, instances->npaths + 1, sizeof(*more));
		if (!more)
			return NULL;
		instances->paths = more;
		more[instances->npaths] = (struct instances_path){0};
		finder->rows[path] = ++instances->npaths;
	}
	return &instances->paths[finder->rows[path] - 1];
}

static int add(struct finder *finder, uint32_t node)
{
	struct instances *instances = finder->instances;
	uint64_t bytes = heap__bytes(finder->heap, node), retained;
	struct instances_path *row;
	int64_t path;

	instances->count++;
	instances->bytes += bytes;
	if (finder->graph->parents[node] == NO_NODE) {
		instances->unreached++;
		return 0;
	}
	path = paths__of(finder->paths, node);
	row = path < 0 ? NULL : row_of(finder, path);
	if (!row)
		return -ENOMEM;
	retained = is_in_another(finder, node) ? 0 : finder->retained->bytes[node];
	instances->retained_bytes += retained;
	row->count++;
	row->bytes += bytes;
	row->retained_bytes += retained;
	return 0;
}

static int describe_samples(const struct finder *finder, struct names *names)
{
	struct instances *instances = finder->instances;
	uint64_t every = (instances->count + SAMPLES) / SAMPLES, i = 0;
	uint32_t node;

	for (node = 0; node < finder->heap->nodes.n && instances->nsamples < SAMPLES; node++) {
		if (!is_instance(finder, node) || i++ % every)
			continue;
		instances->samples[instances->nsamples] =
			describe__object(names, finder->heap, node);
		if (!instances->samples[instances->nsamples])
			return -ENOMEM;
		instances->nsamples++;
	}
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct instances_path *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int name_rows(const struct finder *finder)
{
	struct instances *instances = finder->instances;
	struct instances_path *row;
	size_t path;

	for (path = 0; instances->paths && path < finder->nrows; path++) {
		if (!finder->rows[path])
			continue;
		row = &instances->paths[finder->rows[path] - 1];
		row->path = paths__text(finder->paths, path);
		if (!row->path)
			return -ENOMEM;
	}
	if (instances->paths)
		qsort(instances->paths, instances->npaths, sizeof(*instances->paths), compare_rows);
	return 0;
}

int instances__find(struct heap *heap, const struct graph *graph, const struct retained *retained,
		    struct paths *paths, const char *type, struct instances **result)
{
	struct instances *instances = calloc(1, sizeof(*instances));
	struct finder finder = {.heap = heap,
				.graph = graph,
				.retained = retained,
				.paths = paths,
				.type = type,
				.instances = instances};
	const int signals = signals__count();
	uint32_t node, *nodes;
	struct names *names;
	size_t n = 0, i;
	int err = instances ? 0 : -ENOMEM;

	if (!err)
		instances->type = type;
	nodes = err ? NULL : malloc((heap->nodes.n + 1) * sizeof(*nodes));
	if (!err && !nodes)
		err = -ENOMEM;
	for (node = 0; !err && node < heap->nodes.n; node++) {
		if (is_instance(&finder, node))
			nodes[n++] = node;
	}
	/* Names are found for one parent at a time. */
	if (!err)
		err = paths__prepare(paths, nodes, n);
	if (!err)
		graph__sort_by_parent(graph, nodes, n);
	for (i = 0; !err && i < n; i++)
		err = signals__count() != signals && i % 4096 == 0 ? -EINTR
								   : add(&finder, nodes[i]);
	free(nodes);
	if (!err)
		err = name_rows(&finder);
	names = err ? NULL : names__new(heap, graph);
	if (!err)
		err = names ? describe_samples(&finder, names) : -ENOMEM;
	names__free(names);
	free(finder.rows);
	if (err) {
		instances__free(instances);
		return err;
	}
	*result = instances;
	return 0;
}

void instances__free(struct instances *instances)
{
	size_t i;

	if (!instances)
		return;
	for (i = 0; i < instances->npaths; i++)
		free(instances->paths[i].path);
	for (i = 0; i < instances->nsamples; i++)
		free(instances->samples[i]);
	free(instances->paths);
	free(instances);
}
