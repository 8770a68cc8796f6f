// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/procfs.h"
#include "base/progress.h"
#include "base/signals.h"
#include "inspect/address_set.h"
#include "inspect/census.h"
#include "inspect/census_types.h"
#include "inspect/malloc_blocks.h"
#include "inspect/pools.h"
#include "inspect/reach.h"
#include "inspect/references.h"
#include "inspect/sizes.h"
#include "inspect/threads.h"
#include "inspect/types.h"
#include "target/core_file.h"

/* An object's head and its first members: enough for every size. */
#define BEGINNING 256

/* Addresses that are looked at: 1 GiB of memory for them. */
#define MOST_SEEN (1 << 26)

/* Bytes that a block has beyond what is known of its object's size. */
#define MOST_ROOM (64 << 10)

struct counts {
	const struct type *type;
	uint64_t count, bytes;
};

struct taker {
	struct heap *heap;
	struct address_set pools;
	struct address_set scanned; /* whole pages: nothing is to be gained from them again */
	struct address_set seen;    /* addresses out of pools that something pointed to */
	size_t left_out;
	int signals;	/* that were caught before */
	uint64_t *todo; /* of these, what has to be looked at */
	size_t ntodo, room;
	struct counts *counts; /* by the type's number */
	size_t ncounts;
	uint64_t pool_bytes, resident_pool_bytes;
	uint64_t found; /* objects */
};

static int count(struct taker *taker, const struct type *type, uint64_t bytes)
{
	struct counts *more;
	size_t n;

	if (type->number >= taker->ncounts) {
		n = 2 * (type->number + 1);
		more = reallocarray(taker->counts, n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memset(more + taker->ncounts, 0, (n - taker->ncounts) * sizeof(*more));
		taker->counts = more;
		taker->ncounts = n;
	}
	progress_at("objects found", taker->found++, 0);
	taker->counts[type->number].type = type;
	taker->counts[type->number].count++;
	taker->counts[type->number].bytes += bytes;
	return 0;
}

static bool is_in_pool(const struct taker *taker, uint64_t address)
{
	return address_set__has(&taker->pools,
				address & ~(uint64_t)(taker->heap->target->pool_size - 1));
}

/* Notes what a word may point to, to look at it later. Objects of libc's heap are aligned to 16. */
static int consider(struct taker *taker, uint64_t word)
{
	const struct memory_range *range;
	uint64_t *more;
	int added;

	if (!word || word & 15 || word >> 52 || is_in_pool(taker, word))
		return 0;
	range = memory__range_of(taker->heap->memory, word);
	if (!range || word < range->static_end)
		return 0;
	if (taker->seen.n >= MOST_SEEN) {
		taker->left_out += !address_set__has(&taker->seen, word);
		return 0;
	}
	added = address_set__add(&taker->seen, word);
	if (added <= 0)
		return added;
	if (taker->ntodo == taker->room) {
		more = reallocarray(taker->todo, 2 * taker->room + 1024, sizeof(*more));
		if (!more)
			return -ENOMEM;
		taker->todo = more;
		taker->room = 2 * taker->room + 1024;
	}
	taker->todo[taker->ntodo++] = word;
	return 0;
}

static int scan(struct taker *taker, const uint8_t *bytes, size_t n)
{
	uint64_t word;
	size_t i;
	int err = 0;

	for (i = 0; !err && i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		err = consider(taker, word);
	}
	return err;
}

/* Scans what is resident of that memory: reading the rest would bring it in. A page that was
 * scanned whole is not scanned again. */
static int scan_memory(struct taker *taker, uint64_t address, uint64_t n)
{
	uint64_t end = n < UINT64_MAX - address ? address + n : UINT64_MAX;
	uint8_t bytes[4096];
	size_t part;
	int err = 0;

	while (!err && memory__next_resident(taker->heap->memory, &address, end)) {
		part = sizeof(bytes) - address % sizeof(bytes);
		part = end - address < part ? end - address : part;
		err = part == sizeof(bytes) ? address_set__add(&taker->scanned, address) : 1;
		if (err == 1)
			err = memory__read(taker->heap->memory, address, bytes, part)
				      ? scan(taker, bytes, part)
				      : 0;
		if (signals__count() != taker->signals)
			err = -EINTR;
		address += part;
	}
	return err;
}

static int scan_tables(struct taker *taker, const struct tables *tables)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < tables->n; i++) {
		if (tables->of[i].has_pointers && !is_in_pool(taker, tables->of[i].address))
			err = scan_memory(taker, tables->of[i].address, tables->of[i].bytes);
	}
	return err;
}

static int claim(void *context, uint64_t address)
{
	struct taker *taker = context;

	return nodes__claim(&taker->heap->nodes, address);
}

/* Counts an object, and notes it with its tables as nodes, as the blocks around them need not be
 * found: numpy aligns its data. block: bytes to the end of its block. */
static int take_object(struct taker *taker, const struct object *object, uint64_t size,
		       uint64_t block, const struct tables *tables)
{
	int err = count(taker, object->type, size);
	size_t i;

	if (!err)
		err = nodes__add(&taker->heap->nodes, object->address, object->type->number, block);
	for (i = 0; !err && i < tables->n; i++) {
		if (!tables->of[i].is_shared && !is_in_pool(taker, tables->of[i].address))
			err = nodes__add(&taker->heap->nodes, tables->of[i].address, NODE_TABLE,
					 tables->of[i].bytes);
	}
	if (!err)
		err = object__claim_tables(object, tables, &taker->heap->rules, taker->heap->memory,
					   claim, taker);
	return err ? err : scan_tables(taker, tables);
}

/* A slot with a table, or with what C code keeps; or one on a free list of the interpreter's. */
static int take_block(struct taker *taker, const uint8_t *slot, size_t size, uint64_t address)
{
	bool dead = type_table__is_dead(taker->heap->types, slot, size);
	int err = nodes__add(&taker->heap->nodes, address, dead ? NODE_LEAF : NODE_BLOCK, size);

	return err ? err : scan(taker, slot, size);
}

static int see_slot(struct taker *taker, const struct pool *pool, size_t i)
{
	const uint8_t *slot = pool->bytes + sizeof(struct pool_header) + i * pool->slot_size;
	uint8_t fresh[FRESH_BYTES];
	struct object object;
	struct tables tables;
	uint64_t bytes;
	size_t head;
	int err;

	taker->pool_bytes += pool->slot_size;
	object.address = pool->address + (slot - pool->bytes);
	object.type = type_table__of_slot(taker->heap->types, slot, pool->slot_size, &head);
	if (!object.type)
		return take_block(taker, slot, pool->slot_size, object.address);
	object.bytes = slot + head;
	object.n = pool->slot_size - head;
	object.address += head;
	bytes = heap__size(taker->heap, &object, fresh, &tables);
	/* What does not fit into its slot is a table that begins like an object. */
	if (!bytes || head + object__extent(&object, &taker->heap->rules) > pool->slot_size)
		return take_block(taker, slot, pool->slot_size, object.address - head);
	err = take_object(taker, &object, bytes, object.n, &tables);
	return err || type__is_opaque(object.type) ? err : scan(taker, slot, pool->slot_size);
}

static int see_pool(void *context, const struct pool *pool)
{
	struct taker *taker = context;
	uint32_t i;
	int err = 0;

	taker->resident_pool_bytes +=
		memory__resident_bytes(taker->heap->memory, pool->address,
				       pool->address + taker->heap->target->pool_size);
	for (i = 0; !err && i < pool->nslots; i++) {
		if (pool->live[i])
			err = see_slot(taker, pool, i);
	}
	return signals__count() == taker->signals ? err : -EINTR;
}

static int note_pool(void *context, const struct pool *pool)
{
	struct taker *taker = context;
	int added = address_set__add(&taker->pools, pool->address);

	return added < 0 ? added : 0;
}

/* Static data refers to what modules and C code hold. */
static int scan_static_data(struct taker *taker)
{
	size_t n, i;
	const struct memory_range *ranges = memory__ranges(taker->heap->memory, &n);
	int err = 0;

	for (i = 0; !err && i < n; i++)
		err = scan_memory(taker, ranges[i].start, ranges[i].static_end - ranges[i].start);
	return err;
}

/* Variables of a frame, and what it computes with: some of what lies above it, which may be
 * others'. */
#define FRAME_SCANNED 1024

/* Frames of 3.11 and later are no objects. */
static int scan_frame(void *context, const struct thread_frame *frame)
{
	return scan_memory(context, frame->address, FRAME_SCANNED);
}

/* Looks at what something pointed to: an object, or a table of pointers. */
static int look_at(struct taker *taker, uint64_t address)
{
	uint8_t bytes[BEGINNING], fresh[FRESH_BYTES];
	struct object object = {.address = address, .bytes = bytes};
	const struct memory_range *range;
	struct tables tables;
	uint64_t size = 0, extent, block;
	int err;

	object.n = memory__read_beginning(taker->heap->memory, address, bytes, sizeof(bytes),
					  OBJECT_HEAD);
	object.type =
		object.n >= OBJECT_HEAD ? type_table__of_object(taker->heap->types, bytes) : NULL;
	if (object.type)
		size = heap__size(taker->heap, &object, fresh, &tables);
	extent = size ? object__extent(&object, &taker->heap->rules) : 0;
	range = memory__range_of(taker->heap->memory, address);
	if (!extent || !range || extent > range->end - address) {
		block = malloc_block__size(taker->heap->memory, address);
		err = block ? nodes__add(&taker->heap->nodes, address, NODE_BLOCK, block) : 0;
		return err ? err : scan_memory(taker, address, block);
	}
	/* Its block begins with its heads. More room than a frame needs shows that it is not its
	 * block. */
	block = malloc_block__size(taker->heap->memory, address - type__head(object.type));
	block -= block ? type__head(object.type) : 0;
	if (block < extent || block > extent + MOST_ROOM)
		block = extent;
	err = take_object(taker, &object, size, block, &tables);
	return err || type__is_opaque(object.type) ? err : scan_memory(taker, address, extent);
}

static int look_at_all(struct taker *taker)
{
	int err = 0;

	while (!err && taker->ntodo)
		err = look_at(taker, taker->todo[--taker->ntodo]);
	return err;
}

static int walk(struct taker *taker, size_t *torn)
{
	struct pool_reader *reader;
	int err = pool_reader__new(taker->heap->target->space, taker->heap->target->pool_size,
				   &reader);

	if (err)
		return err;
	err = pool_reader__look(reader, POOLS_HEADERS, note_pool, taker, torn);
	if (!err)
		err = pool_reader__look(reader, POOLS_WHOLE, see_pool, taker, torn);
	pool_reader__free(reader);
	if (!err)
		err = scan_static_data(taker);
	if (!err)
		err = threads__visit_frames(taker->heap->target, taker->heap->memory, scan_frame,
					    taker);
	if (!err)
		err = look_at_all(taker);
	/* Of one that has ended, what could not be read would look as if it were not there. */
	return err || target__exists(taker->heap->target) ? err : -ESRCH;
}

static int find_residence(struct taker *taker, struct residence *residence)
{
	const struct target *target = taker->heap->target;

	residence->pools = taker->resident_pool_bytes;
	residence->pools_used = taker->pool_bytes;
	if (target->space.core) {
		residence->anonymous = core_file__dumped_bytes(target->space.core);
	} else {
		residence->anonymous = proc_status_bytes(target->pid, "RssAnon");
		residence->files = proc_status_bytes(target->pid, "RssFile");
		residence->shared = proc_status_bytes(target->pid, "RssShmem");
	}
	return malloc_heaps__walk(target->space, taker->heap->memory, taker->signals,
				  &residence->malloc);
}

static int summarise(struct taker *taker, const struct census_options *options,
		     struct census *census)
{
	size_t i;
	int err;

	err = find_residence(taker, &census->residence);
	if (err)
		return err;
	census->types = calloc(taker->ncounts + 1, sizeof(*census->types));
	if (!census->types)
		return -ENOMEM;
	for (i = 0; i < taker->ncounts; i++) {
		if (!taker->counts[i].count)
			continue;
		census->types[census->ntypes++] =
			(struct census_type){.name = taker->counts[i].type->name,
					     .type = taker->counts[i].type,
					     .count = taker->counts[i].count,
					     .bytes = taker->counts[i].bytes};
		census->count += taker->counts[i].count;
		census->bytes += taker->counts[i].bytes;
	}
	census->pool_bytes = taker->pool_bytes;
	census->left_out = taker->left_out;
	if (!taker->heap->target->space.core)
		census->swapped_bytes = proc_status_bytes(taker->heap->target->pid, "VmSwap");
	return census_types__finish(census, taker->heap, options);
}

static int find_holders(struct heap *heap, const struct graph *graph,
			const struct retained *retained, const struct census_options *options,
			struct census *census)
{
	const int signals = signals__count();
	struct paths *paths;
	int err = paths__new(heap, graph, &paths);

	if (err)
		return err;
	if (options->holders)
		err = holders__find(heap, graph, retained, paths, signals, &census->holders);
	if (!err && options->type)
		err = instances__find(heap, graph, retained, paths, options->type,
				      &census->instances);
	paths__free(paths);
	return err;
}

/* Builds the graph, and looks at it. */
static int find_references(struct heap *heap, const struct census_options *options,
			   struct census *census)
{
	struct retained retained;
	struct graph graph;
	int err = nodes__order(&heap->nodes);

	if (!err)
		err = reach__build(heap, signals__count(), &graph);
	if (err)
		return err;
	err = retained__new(heap, &graph, &retained);
	/* Only instances ask what dominates what. */
	if (!err && !options->type)
		dominators__free(&retained.dominators);
	if (!err)
		err = find_holders(heap, &graph, &retained, options, census);
	retained__free(&retained);
	graph__free(&graph);
	return err;
}

static void free_taker(struct taker *taker)
{
	address_set__free(&taker->pools);
	address_set__free(&taker->scanned);
	address_set__free(&taker->seen);
	free(taker->todo);
	free(taker->counts);
}

static int take(struct heap *heap, const struct census_options *options, struct census *census)
{
	struct taker taker = {.heap = heap, .signals = signals__count()};
	int err = memory__new(heap->target->space, &heap->memory);

	if (!err)
		err = walk(&taker, &census->torn);
	if (!err)
		err = summarise(&taker, options, census);
	/* What follows takes as much again. */
	free_taker(&taker);
	if (!err && (options->holders || options->type))
		err = find_references(heap, options, census);
	nodes__free(&heap->nodes);
	memory__free(heap->memory);
	return err;
}

static const char *reason(const struct target *target, int err)
{
	if (err == -ESRCH || !target__exists(target))
		return "it has ended";
	switch (err) {
	case -EPERM:
	case -EACCES:
		return "that takes CAP_SYS_PTRACE, or to be its user with kernel.yama.ptrace_scope "
		       "at 0";
	case -ENOTSUP:
		return "its objects are not laid out as a known CPython's";
	case -EINTR:
		return "interrupted";
	default:
		return strerror(-err);
	}
}

int census__take(const struct target *target, const struct census_options *options,
		 struct census **result)
{
	struct census *census = calloc(1, sizeof(*census));
	struct heap heap = {.target = target, .rules = {.layout = &target->layout}};
	int err = census ? 0 : -ENOMEM;

	if (!err && (!target->has_layout || target->layout.object_type != OBJECT_TYPE ||
		     sscanf(target->version, "3.%u", &heap.rules.minor) != 1))
		err = -ENOTSUP;
	if (!err)
		heap.types = census->names = type_table__new(target->space);
	if (!err && !heap.types)
		err = -ENOMEM;
	if (!err)
		err = take(&heap, options, census);
	if (err) {
		log_error("process %d cannot be inspected: %s", target->pid, reason(target, err));
		census__free(census);
		return err;
	}
	*result = census;
	return 0;
}

void census__free(struct census *census)
{
	if (!census)
		return;
	holders__free(census->holders);
	instances__free(census->instances);
	type_table__free(census->names);
	arena__free(census->texts);
	free(census->by_name);
	free(census->types);
	free(census);
}
