// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "base/signals.h"
#include "inspect/dict_keys.h"
#include "inspect/reach.h"
#include "inspect/references.h"
#include "inspect/text.h"
#include "inspect/threads.h"

/* An object's head and its first members: enough for every size. */
#define BEGINNING 256

/* Nodes between two looks whether a signal was caught. */
#define SIGNAL_NODES 4096

struct builder {
	struct heap *heap;
	struct graph *graph;
	int signals;
	uint32_t *found; /* by node, once all objects have their edges: how many lead to it */
};

/* A table that large is read as it is now. */
#define LARGE_TABLE (64 << 10)

const struct type *heap__type(const struct heap *heap, uint32_t node)
{
	int32_t type = node < heap->nodes.n ? heap->nodes.of[node].type : NODE_LEAF;

	return type >= 0 ? type_table__numbered(heap->types, type) : NULL;
}

const struct type *heap__type_at(const struct heap *heap, uint64_t address)
{
	return type_table__at(heap->types, memory__word(heap->memory, address + OBJECT_TYPE));
}

uint64_t heap__bytes(const struct heap *heap, uint32_t node)
{
	const struct type *type = heap__type(heap, node);

	return node < heap->nodes.n
		       ? 8 * (uint64_t)heap->nodes.of[node].words + (type ? type__head(type) : 0)
		       : 0;
}

bool heap__read_object(const struct heap *heap, uint32_t node, uint8_t *bytes, size_t size,
		       struct object *object)
{
	*object = (struct object){.type = heap__type(heap, node), .bytes = bytes};
	if (!object->type)
		return false;
	object->address = heap->nodes.of[node].address;
	object->n = memory__read_beginning(heap->memory, object->address, bytes, size, OBJECT_HEAD);
	return object->n >= OBJECT_HEAD &&
	       type_table__of_object(heap->types, bytes) == object->type;
}

/* The maps are read again so rarely that it takes no more than that part of the time. */
#define REFRESH_SHARE 0.05

static bool has_moving_table(const struct type *type)
{
	return type->kind == KIND_LIST || type->kind == KIND_DICT;
}

uint64_t heap__size(struct heap *heap, struct object *object, uint8_t *fresh, struct tables *tables)
{
	uint64_t size = object__size(object, &heap->rules, heap->memory, tables);
	double begin;

	if (size || !has_moving_table(object->type) || heap->target->space.core)
		return size;
	begin = clock_seconds(CLOCK_MONOTONIC);
	if (begin < heap->next_refresh || memory__refresh(heap->memory))
		return 0;
	heap->next_refresh = begin + (clock_seconds(CLOCK_MONOTONIC) - begin) / REFRESH_SHARE;
	if (!memory__read(heap->memory, object->address, fresh, FRESH_BYTES) ||
	    type_table__of_object(heap->types, fresh) != object->type)
		return 0;
	object->bytes = fresh;
	object->n = FRESH_BYTES;
	return object__size(object, &heap->rules, heap->memory, tables);
}

/*
 * Whether an object has more references than were found in objects, as it has if C code or a frame
 * refers to it: they may as well have an address that is left over from earlier. From 3.12 on, what
 * is immortal has as many as fit.
 */
static bool has_other_references(const struct builder *builder, uint32_t node)
{
	uint32_t count;

	return builder->heap->nodes.of[node].type < 0 ||
	       (memory__read(builder->heap->memory, builder->heap->nodes.of[node].address, &count,
			     sizeof(count)) &&
		count > builder->found[node]);
}

static int add_edge(void *context, uint64_t word, struct place place)
{
	struct builder *builder = context;
	const struct nodes *nodes = &builder->heap->nodes;
	uint32_t node;

	/* Values lie behind what is in front of them. */
	node = place.kind == PLACE_TABLE ? nodes__around(nodes, word) : nodes__at(nodes, word);
	if (node == NO_NODE || (place.kind == PLACE_TABLE && nodes->of[node].type >= 0) ||
	    (place.kind != PLACE_TABLE && nodes->of[node].type == NODE_TABLE) ||
	    (builder->found && !has_other_references(builder, node)))
		return 0;
	return graph__add_edge(builder->graph, node);
}

/* Keys that an interned dict has at least, and all of those looked at are their own values. */
#define INTERNED_KEYS 64

/* The dict of interned strings refers to all of them, but keeps none alive (before 3.12, and mortal
 * ones since). */
static bool is_interned_dict(const struct heap *heap, const struct object *object)
{
	uint64_t keys_at, key, value, i;
	struct dict_keys keys;

	if (object->type->kind != KIND_DICT || object->n < DICT_KEYS + sizeof(keys_at))
		return false;
	memcpy(&keys_at, object->bytes + DICT_KEYS, sizeof(keys_at));
	if (!dict_keys__read(heap->memory, keys_at, heap->rules.minor, &keys) ||
	    keys.nentries < INTERNED_KEYS)
		return false;
	for (i = 0; i < INTERNED_KEYS; i++) {
		if (!dict_keys__entry(heap->memory, &keys, i, &key, &value) || key != value)
			return false;
	}
	return true;
}

/* Of a large table, what lies there is looked for again: it may have grown. */
static void look_again(struct heap *heap, struct object *object, uint8_t *fresh)
{
	struct tables tables;
	size_t i;

	if (!heap__size(heap, object, fresh, &tables))
		return;
	for (i = 0; i < tables.n; i++) {
		if (tables.of[i].bytes >= LARGE_TABLE)
			memory__reread(heap->memory, tables.of[i].address,
				       tables.of[i].address + tables.of[i].bytes);
	}
}

static int add_node_edges(struct builder *builder, uint32_t node)
{
	const struct node *at = &builder->heap->nodes.of[node];
	struct heap *heap = builder->heap;
	uint8_t bytes[BEGINNING], fresh[FRESH_BYTES];
	struct object object;

	if (at->type == NODE_BLOCK)
		return block__refer(at->address, 8 * (uint64_t)at->words, heap->memory, add_edge,
				    builder);
	if (!heap__read_object(heap, node, bytes, sizeof(bytes), &object) ||
	    is_interned_dict(heap, &object))
		return 0;
	if (has_moving_table(object.type))
		look_again(heap, &object, fresh);
	return object__refer(&object, 8 * (uint64_t)at->words, &heap->rules, heap->memory, add_edge,
			     builder);
}

static int add_all_edges(struct builder *builder)
{
	uint32_t node;
	int err = 0;

	for (node = 0; !err && node < builder->heap->nodes.n; node++) {
		progress_at("references followed of objects", node, builder->heap->nodes.n);
		err = add_node_edges(builder, node);
		if (!err)
			err = graph__end_node(builder->graph);
		if (!err && node % SIGNAL_NODES == 0 && signals__count() != builder->signals)
			err = -EINTR;
	}
	return err;
}

/* Counts what objects refer to; then takes away what blocks only seem to refer to: their edges lead
 * back to themselves. */
static int count_references(struct builder *builder)
{
	const struct nodes *nodes = &builder->heap->nodes;
	struct graph *graph = builder->graph;
	uint32_t node, i;

	builder->found = calloc(nodes->n + 1, sizeof(*builder->found));
	if (!builder->found)
		return -ENOMEM;
	for (node = 0; node < nodes->n; node++) {
		for (i = graph->first[node]; i < graph->first[node + 1]; i++)
			builder->found[graph->edges[i]] += nodes->of[node].type >= 0;
	}
	for (node = 0; node < nodes->n; node++) {
		for (i = graph->first[node]; nodes->of[node].type < 0 && i < graph->first[node + 1];
		     i++) {
			if (!has_other_references(builder, graph->edges[i]))
				graph->edges[i] = node;
		}
	}
	return 0;
}

static bool is_reached(const struct builder *builder, uint32_t node)
{
	return builder->graph->parents[node] != NO_NODE;
}

/* A root of all nodes that are of a kind and are not reached yet. */
static int add_root_of(struct builder *builder, enum root_kind kind,
		       bool (*takes)(const struct builder *builder, uint32_t node))
{
	const struct root root = {.kind = kind};
	uint32_t node;
	int err = 0;

	for (node = 0; !err && node < builder->heap->nodes.n; node++) {
		if (!is_reached(builder, node) && takes(builder, node))
			err = graph__add_edge(builder->graph, node);
	}
	return err ? err : graph__end_root(builder->graph, &root);
}

static bool is_kind(const struct builder *builder, uint32_t node, enum type_kind kind)
{
	const struct type *type = heap__type(builder->heap, node);

	return type && type->kind == kind;
}

static bool is_module(const struct builder *builder, uint32_t node)
{
	return is_kind(builder, node, KIND_MODULE);
}

static bool is_type(const struct builder *builder, uint32_t node)
{
	return is_kind(builder, node, KIND_TYPE);
}

/* What static data of a file refers to: what C code holds. */
static int add_static_data(struct builder *builder, const struct memory_range *range)
{
	uint64_t at = range->start, end;
	int err = 0;

	while (!err && memory__next_resident(builder->heap->memory, &at, range->static_end)) {
		end = (at & ~4095ULL) + 4096;
		end = end < range->static_end ? end : range->static_end;
		err = block__refer(at, end - at, builder->heap->memory, add_edge, builder);
		at = end;
	}
	return err;
}

static int add_static_roots(struct builder *builder)
{
	struct root root = {.kind = ROOT_STATIC};
	size_t n, i, next;
	const struct memory_range *ranges = memory__ranges(builder->heap->memory, &n);
	int err = 0;

	/* A file has several ranges, one behind the other. */
	for (i = 0; !err && i < n; i = next) {
		if (asprintf(&root.label, "[%s]", ranges[i].file) < 0)
			return -ENOMEM;
		for (next = i; !err && next < n && !strcmp(ranges[next].file, ranges[i].file);
		     next++)
			err = add_static_data(builder, &ranges[next]);
		if (err)
			free(root.label);
		else
			err = graph__end_root(builder->graph, &root);
	}
	return err;
}

/* "worker() app.py:40": its first line, as the present one would take its line table. */
static char *label_frame(const struct heap *heap, const struct thread_frame *frame)
{
	const struct py_layout *l = heap->rules.layout;
	char *function, *path, *label = NULL;
	uint32_t line = 0;
	bool more;

	memory__read(heap->memory, frame->code + l->code_first_line, &line, sizeof(line));
	function =
		text__read(heap->memory, l,
			   memory__word(heap->memory, frame->code + l->code_qualname), 80, &more);
	path = text__read(heap->memory, l,
			  memory__word(heap->memory, frame->code + l->code_filename), 200, &more);
	if (function && path &&
	    asprintf(&label, "<frame %s() %s:%u>", function,
		     strrchr(path, '/') ? strrchr(path, '/') + 1 : path, line) < 0)
		label = NULL;
	free(function);
	free(path);
	return label ? label : strdup("<frame>");
}

static int add_frame_root(struct builder *builder, const struct thread_frame *frame)
{
	struct heap *heap = builder->heap;
	struct root root = {
		.kind = ROOT_FRAME,
		.label = label_frame(heap, frame),
		.frame = frame->address,
		.code = frame->code,
	};
	int err = root.label ? 0 : -ENOMEM;

	if (!err && heap->rules.minor < 11)
		err = add_edge(builder, frame->address, (struct place){PLACE_LOCAL, 0});
	else if (!err)
		err = frame__refer(frame->address, frame->code, &heap->rules, heap->memory,
				   add_edge, builder);
	if (err) {
		free(root.label);
		return err;
	}
	return graph__end_root(builder->graph, &root);
}

struct frames {
	struct thread_frame *of;
	size_t n;
};

static int note_frame(void *context, const struct thread_frame *frame)
{
	struct frames *frames = context;
	struct thread_frame *more;

	if (frames->n % 256 == 0) {
		more = reallocarray(frames->of, frames->n + 256, sizeof(*more));
		if (!more)
			return -ENOMEM;
		frames->of = more;
	}
	frames->of[frames->n++] = *frame;
	return 0;
}

/* Callers first: before 3.11 a frame refers to its caller's. */
static int add_frame_roots(struct builder *builder)
{
	struct frames frames = {0};
	int err = threads__visit_frames(builder->heap->target, builder->heap->memory, note_frame,
					&frames);

	while (!err && frames.n)
		err = add_frame_root(builder, &frames.of[--frames.n]);
	free(frames.of);
	return err;
}

/* What C code holds, in structures that are not known. */
static bool is_held(const struct builder *builder, uint32_t node)
{
	return builder->heap->nodes.of[node].type >= 0 && has_other_references(builder, node);
}

/* Collects objects that are not reached: instances first, as they tell more than their dicts. */
static size_t collect_unreached(const struct builder *builder, uint32_t *nodes)
{
	const struct type *type;
	uint32_t node;
	size_t n = 0;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		for (node = 0; node < builder->heap->nodes.n; node++) {
			type = heap__type(builder->heap, node);
			if (type && !is_reached(builder, node) &&
			    (type->kind == KIND_PLAIN && type__head(type)) == !pass)
				nodes[n++] = node;
		}
	}
	return n;
}

/* What is left refers to itself. */
static int add_cycles_root(struct builder *builder)
{
	const struct root root = {.kind = ROOT_CYCLES};
	uint32_t *nodes = malloc((builder->heap->nodes.n + 1) * sizeof(*nodes));
	int err =
		nodes ? graph__add_sources(builder->graph, nodes, collect_unreached(builder, nodes))
		      : -ENOMEM;

	free(nodes);
	return err ? err : graph__end_root(builder->graph, &root);
}

/* A block has one owner, the first that reaches it: what else seems to refer to it may be left over
 * in memory that was not cleared. */
static void give_blocks_one_owner(struct builder *builder)
{
	const struct nodes *nodes = &builder->heap->nodes;
	struct graph *graph = builder->graph;
	uint32_t node, i, to;

	for (node = 0; node < graph->n; node++) {
		for (i = graph->first[node]; i < graph->first[node + 1]; i++) {
			to = graph->edges[i];
			if (to < nodes->n && nodes->of[to].type == NODE_BLOCK &&
			    graph->parents[to] != node)
				graph->edges[i] = node;
		}
	}
}

int reach__build(struct heap *heap, int signals, struct graph *graph)
{
	struct builder builder = {.heap = heap, .graph = graph, .signals = signals};
	int err = graph__new(&heap->nodes, graph);

	if (err)
		return err;
	/* The walk may be seconds ago. */
	err = memory__refresh(heap->memory);
	if (!err)
		err = add_all_edges(&builder);
	if (!err)
		err = count_references(&builder);
	if (!err)
		err = add_root_of(&builder, ROOT_MODULES, is_module);
	if (!err)
		err = add_frame_roots(&builder);
	if (!err)
		err = add_static_roots(&builder);
	if (!err)
		err = add_root_of(&builder, ROOT_TYPES, is_type);
	if (!err)
		err = add_root_of(&builder, ROOT_NATIVE, is_held);
	if (!err)
		err = add_cycles_root(&builder);
	if (!err)
		give_blocks_one_owner(&builder);
	if (!err)
		err = graph__end(graph);
	free(builder.found);
	if (err)
		graph__free(graph);
	return err;
}
