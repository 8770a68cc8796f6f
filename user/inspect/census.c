// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "inspect/address_set.h"
#include "inspect/census.h"
#include "inspect/memory.h"
#include "inspect/pools.h"
#include "inspect/sizes.h"
#include "inspect/types.h"

/* An object's head and its first members: enough for every size. */
#define BEGINNING 256

/* Frames, thread states and interpreters that are followed, of all threads. */
#define MOST_FRAMES 100000

/* Addresses that are looked at: 1 GiB of memory for them. */
#define MOST_SEEN (1 << 26)

struct counts {
	const struct type *type;
	uint64_t count, bytes;
};

struct taker {
	const struct target *target;
	struct size_rules rules;
	struct type_table *types;
	struct memory *memory;
	struct address_set pools;
	struct address_set scanned; /* whole pages: nothing is to be gained from them again */
	struct address_set seen;    /* addresses out of pools that something pointed to */
	size_t left_out;
	int signals;	/* that were caught before */
	uint64_t *todo; /* of these, what has to be looked at */
	size_t ntodo, room;
	struct counts *counts; /* by the type's number */
	size_t ncounts;
	uint64_t pool_bytes;
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
	taker->counts[type->number].type = type;
	taker->counts[type->number].count++;
	taker->counts[type->number].bytes += bytes;
	return 0;
}

static bool is_in_pool(const struct taker *taker, uint64_t address)
{
	return address_set__has(&taker->pools, address & ~(uint64_t)(taker->target->pool_size - 1));
}

/* Notes what a word may point to, to look at it later. Objects of libc's heap are aligned to 16. */
static int consider(struct taker *taker, uint64_t word)
{
	const struct memory_range *range;
	uint64_t *more;
	int added;

	if (!word || word & 15 || word >> 52 || is_in_pool(taker, word))
		return 0;
	range = memory__range_of(taker->memory, word);
	if (!range || word < range->static_end)
		return 0;
	if (taker->seen.n >= MOST_SEEN) {
		taker->left_out++;
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
	uint8_t bytes[4096];
	size_t part;
	int err = 0;

	while (!err && n) {
		part = sizeof(bytes) - address % sizeof(bytes);
		part = n < part ? n : part;
		if (memory__is_resident(taker->memory, address)) {
			err = part == sizeof(bytes) ? address_set__add(&taker->scanned, address)
						    : 1;
			if (err == 1)
				err = memory__read(taker->memory, address, bytes, part)
					      ? scan(taker, bytes, part)
					      : 0;
		}
		if (signals__count() != taker->signals)
			err = -EINTR;
		address += part;
		n -= part;
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

static int see_slot(struct taker *taker, const struct pool *pool, size_t i)
{
	const uint8_t *slot = pool->bytes + sizeof(struct pool_header) + i * pool->slot_size;
	struct object object;
	struct tables tables;
	uint64_t bytes;
	size_t head;
	int err;

	taker->pool_bytes += pool->slot_size;
	object.type = type_table__of_slot(taker->types, slot, pool->slot_size, &head);
	if (!object.type)
		return scan(taker, slot, pool->slot_size);
	object.bytes = slot + head;
	object.n = pool->slot_size - head;
	object.address = pool->address + (object.bytes - pool->bytes);
	bytes = object__size(&object, &taker->rules, taker->memory, &tables);
	/* What does not fit into its slot is a table that begins like an object. */
	if (!bytes || head + object__extent(&object, &taker->rules) > pool->slot_size)
		return scan(taker, slot, pool->slot_size);
	err = count(taker, object.type, bytes);
	if (!err)
		err = scan_tables(taker, &tables);
	return err || type__is_opaque(object.type) ? err : scan(taker, slot, pool->slot_size);
}

static int see_pool(void *context, const struct pool *pool)
{
	struct taker *taker = context;
	uint32_t i;
	int err = 0;

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
	const struct memory_range *ranges = memory__ranges(taker->memory, &n);
	int err = 0;

	for (i = 0; !err && i < n; i++)
		err = scan_memory(taker, ranges[i].start, ranges[i].static_end - ranges[i].start);
	return err;
}

/* Variables of a frame, and what it computes with: some of what lies above it, which may be
 * others'. */
#define FRAME_SCANNED 1024

static int scan_frames(struct taker *taker, uint64_t tstate, size_t *n)
{
	const struct py_layout *l = &taker->target->layout;
	uint64_t frame;
	int err = 0;

	if (!memory__read(taker->memory, tstate + l->tstate_frame, &frame, sizeof(frame)) ||
	    (l->cframe_current_frame != NO_FIELD &&
	     !memory__read(taker->memory, frame + l->cframe_current_frame, &frame, sizeof(frame))))
		return 0;
	for (; !err && frame && *n < MOST_FRAMES; ++*n) {
		err = scan_memory(taker, frame, FRAME_SCANNED);
		if (!memory__read(taker->memory, frame + l->frame_previous, &frame, sizeof(frame)))
			break;
	}
	return err;
}

/* Frames of 3.11 and later, which are no objects. */
static int scan_threads(struct taker *taker)
{
	const struct py_layout *l = &taker->target->layout;
	uint64_t interp, tstate;
	size_t n = 0;
	int err = 0;

	if (!memory__read(taker->memory, taker->target->runtime + l->runtime_interpreters_head,
			  &interp, sizeof(interp)))
		return 0;
	for (; !err && interp && n < MOST_FRAMES; n++) {
		if (!memory__read(taker->memory, interp + l->interp_threads_head, &tstate,
				  sizeof(tstate)))
			break;
		for (; !err && tstate && n < MOST_FRAMES; n++) {
			err = scan_frames(taker, tstate, &n);
			if (!memory__read(taker->memory, tstate + l->tstate_next, &tstate,
					  sizeof(tstate)))
				break;
		}
		if (!memory__read(taker->memory, interp + l->interp_next, &interp, sizeof(interp)))
			break;
	}
	return err;
}

/* glibc's malloc_chunk (malloc/malloc.c): the size of a block lies before it, and the next chunk
 * says whether this one is in use. Returns 0 where there is none. */
static uint64_t block_size(struct taker *taker, uint64_t address)
{
	const struct memory_range *range = memory__range_of(taker->memory, address);
	uint64_t size, next, bytes;

	if (!range || !memory__read(taker->memory, address - 8, &size, sizeof(size)))
		return 0;
	if (size & 2) /* IS_MMAPPED */
		next = 1;
	else if (!memory__read(taker->memory, address - 8 + (size & ~7ULL), &next, sizeof(next)))
		return 0;
	/* One that is in use has its successor's first word, too. */
	bytes = (size & ~7ULL) - (size & 2 ? 16 : 8);
	return next & 1 && size >= 32 && bytes <= range->end - address ? bytes : 0;
}

/* Looks at what something pointed to: an object, or a table of pointers. */
static int look_at(struct taker *taker, uint64_t address)
{
	uint8_t bytes[BEGINNING];
	struct object object = {.address = address, .bytes = bytes, .n = sizeof(bytes)};
	const struct memory_range *range = memory__range_of(taker->memory, address);
	struct tables tables;
	uint64_t size = 0, extent;
	int err;

	while (object.n >= 16 && !memory__read(taker->memory, address, bytes, object.n))
		object.n /= 2;
	object.type = object.n >= 16 ? type_table__of_object(taker->types, bytes) : NULL;
	if (object.type)
		size = object__size(&object, &taker->rules, taker->memory, &tables);
	extent = size ? object__extent(&object, &taker->rules) : 0;
	if (!extent || extent > range->end - address)
		return scan_memory(taker, address, block_size(taker, address));
	err = count(taker, object.type, size);
	if (!err)
		err = scan_tables(taker, &tables);
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
	int err = pool_reader__new(taker->target->pid, taker->target->pool_size, &reader);

	if (err)
		return err;
	err = pool_reader__look(reader, POOLS_HEADERS, note_pool, taker, torn);
	if (!err)
		err = pool_reader__look(reader, POOLS_WHOLE, see_pool, taker, torn);
	pool_reader__free(reader);
	if (!err)
		err = scan_static_data(taker);
	if (!err)
		err = scan_threads(taker);
	if (!err)
		err = look_at_all(taker);
	/* Of one that has ended, what could not be read would look as if it were not there. */
	return err || proc_status_bytes(taker->target->pid, "VmSize") ? err : -ESRCH;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct census_type *)a)->name, ((const struct census_type *)b)->name);
}

static int compare_bytes(const void *a, const void *b)
{
	const struct census_type *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return compare_names(a, b);
}

static int compare_rows(const void *a, const void *b)
{
	return compare_names(*(const struct census_type *const *)a,
			     *(const struct census_type *const *)b);
}

/* Makes one row of all types with a name. 0 or -ENOMEM. */
static int merge_names(struct census *census)
{
	size_t i, n = 0;

	qsort(census->types, census->ntypes, sizeof(*census->types), compare_names);
	for (i = 0; i < census->ntypes; i++) {
		if (n && !strcmp(census->types[n - 1].name, census->types[i].name)) {
			census->types[n - 1].count += census->types[i].count;
			census->types[n - 1].bytes += census->types[i].bytes;
		} else {
			census->types[n++] = census->types[i];
		}
	}
	census->ntypes = n;
	qsort(census->types, n, sizeof(*census->types), compare_bytes);
	census->by_name = calloc(n + 1, sizeof(*census->by_name));
	if (!census->by_name)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		census->by_name[i] = &census->types[i];
	qsort(census->by_name, n, sizeof(*census->by_name), compare_rows);
	return 0;
}

static int summarise(struct taker *taker, struct census *census)
{
	size_t i;

	census->types = calloc(taker->ncounts + 1, sizeof(*census->types));
	if (!census->types)
		return -ENOMEM;
	for (i = 0; i < taker->ncounts; i++) {
		if (!taker->counts[i].count)
			continue;
		census->types[census->ntypes++] =
			(struct census_type){taker->counts[i].type->name, taker->counts[i].count,
					     taker->counts[i].bytes};
		census->count += taker->counts[i].count;
		census->bytes += taker->counts[i].bytes;
	}
	census->pool_bytes = taker->pool_bytes;
	census->left_out = taker->left_out;
	census->swapped_bytes = proc_status_bytes(taker->target->pid, "VmSwap");
	return merge_names(census);
}

static int take(struct taker *taker, struct census *census)
{
	int err = memory__new(taker->target->pid, &taker->memory);

	if (!err)
		err = walk(taker, &census->torn);
	if (!err)
		err = summarise(taker, census);
	memory__free(taker->memory);
	address_set__free(&taker->pools);
	address_set__free(&taker->scanned);
	address_set__free(&taker->seen);
	free(taker->todo);
	free(taker->counts);
	return err;
}

static const char *reason(const struct target *target, int err)
{
	if (err == -ESRCH || !proc_exists(target->pid))
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

int census__take(const struct target *target, struct census **result)
{
	struct census *census = calloc(1, sizeof(*census));
	struct taker taker = {
		.target = target,
		.rules = {.layout = &target->layout},
		.signals = signals__count(),
	};
	int err = census ? 0 : -ENOMEM;

	if (!err && (!target->has_layout || target->layout.object_type != OBJECT_TYPE ||
		     sscanf(target->version, "3.%u", &taker.rules.minor) != 1))
		err = -ENOTSUP;
	if (!err)
		taker.types = census->names = type_table__new(target->pid);
	if (!err && !taker.types)
		err = -ENOMEM;
	if (!err)
		err = take(&taker, census);
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
	type_table__free(census->names);
	free(census->by_name);
	free(census->types);
	free(census);
}

const struct census_type *census__find(const struct census *census, const char *name)
{
	const struct census_type key = {.name = name}, *found = &key;
	const struct census_type **row;

	row = bsearch(&found, census->by_name, census->ntypes, sizeof(*census->by_name),
		      compare_rows);
	return row ? *row : NULL;
}
