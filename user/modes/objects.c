// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/kernel.h"
#include "base/log.h"
#include "collect/bpf_maps.h"
#include "collect/counters.h"
#include "modes/arenas.h"
#include "modes/heap.h"
#include "modes/live_sites.h"
#include "modes/mode.h"
#include "inspect/pools.h"
#include "inspect/types.h"
#include "objects.skel.h"

/* Looks between snapshots, for processes that end, take a hundredth of the time. */
#define LOOK_SECONDS 1.0
#define LOOK_SHARE   0.01

/* A page of pools that existed at the first look, and its slots that were taken then, but by no
 * site that is known: from before. */
struct old_page {
	uint64_t page;
	uint64_t slots[POOL_PAGE_SLOTS / 64];
};

/* Bytes of taken slots. */
struct small_sums {
	uint64_t all, before, unattributed;
};

struct subject {
	uint32_t pool_size; /* 0: not met */
	struct pool_reader *reader;
	bool refused, looked;
	struct old_page *old; /* sorted by page */
	size_t nold;
	struct live_sites live; /* of the last look */
	uint64_t seen_ns;	/* when that was, by CLOCK_MONOTONIC */
	struct small_sums sums;
	struct type_table *types;
};

struct objects {
	struct objects_bpf *bpf;
	struct arenas *arenas;
	struct subject subjects[MAX_PROCESSES]; /* by process id */
	double next_look;
};

/* Counts by site and type, in a <search.h> tree. */
struct type_counts {
	void *tree;
	size_t n;
};

/* The state of a look. */
struct look {
	struct collector *collector;
	struct subject *subject;
	__u32 id;
	int map;       /* the map pool_pages */
	uint64_t page; /* the page that pool_page describes */
	struct pool_page pool_page;
	struct old_page *old;	   /* the same page's, or NULL if it has none */
	struct type_counts *types; /* where to count types, or NULL */
};

static int objects_load(struct collector *collector)
{
	struct objects *objects = collector->own = calloc(1, sizeof(*objects));
	struct objects_bpf *bpf = objects ? objects_bpf__open() : NULL;
	unsigned int pools = collector->options.max_pools;
	int err;

	if (!bpf)
		return -errno;
	objects->bpf = bpf;
	if (!pools)
		pools = feature__has(FEATURE_HASH_ALLOCATION) ? 1 << 18 : 1 << 16;
	err = counters__configure(bpf->obj, &bpf->rodata->config, &collector->options, true);
	if (!err)
		err = heap__size_maps(bpf->obj, &bpf->rodata->config, &collector->options);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.pool_pages, pools);
	if (!err)
		err = objects_bpf__load(bpf);
	collector->object = bpf->obj;
	collector->generations = bpf->data_codes->code_generations;
	return err;
}

static void free_subject(struct subject *subject)
{
	pool_reader__free(subject->reader);
	type_table__free(subject->types);
	free(subject->old);
	live_sites__free(&subject->live);
	*subject = (struct subject){0};
}

static size_t counters_size(const struct collector *collector)
{
	return collector->most_sites * sizeof(struct pool_counters);
}

static void objects_unload(struct collector *collector)
{
	struct objects *objects = collector->own;
	size_t id;

	if (!objects)
		return;
	for (id = 0; id < MAX_PROCESSES; id++)
		free_subject(&objects->subjects[id]);
	if (collector->pools_taken)
		munmap(collector->pools_taken, counters_size(collector));
	free(collector->pools_live);
	free(collector->pools_looked);
	arenas__free(objects->arenas);
	objects_bpf__destroy(objects->bpf);
	free(objects);
}

static int objects_attach(struct collector *collector)
{
	struct objects *objects = collector->own;

	collector->pools_live = calloc(collector->most_sites, sizeof(struct pool_counters));
	collector->pools_looked = calloc(collector->most_sites, sizeof(struct pool_counters));
	objects->arenas = arenas__new(collector, ARENAS_IN_MAPPINGS);
	if (!collector->pools_live || !collector->pools_looked || !objects->arenas)
		return -ENOMEM;
	return map__mmap(collector->object, "pool_counters", counters_size(collector),
			 (void **)&collector->pools_taken);
}

static void objects_meet(struct collector *collector, __u32 id, pid_t pid,
			 const struct target *target)
{
	struct objects *objects = collector->own;

	(void)pid;
	objects->subjects[id].pool_size = target->pool_size;
	arenas__meet(objects->arenas, id, target);
}

static void objects_forget(struct collector *collector, __u32 id)
{
	struct objects *objects = collector->own;

	free_subject(&objects->subjects[id]);
	arenas__forget(objects->arenas, id);
}

static int compare_pages(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = ((const struct old_page *)b)->page;

	return x < y ? -1 : x > y;
}

/* Returns the page's slots from before; makes an entry at the first look. NULL: it has none, or we
 * are out of memory. */
static struct old_page *find_old(struct subject *subject, uint64_t page)
{
	struct old_page *more;

	if (subject->looked)
		return subject->nold ? bsearch(&page, subject->old, subject->nold,
					       sizeof(*subject->old), compare_pages)
				     : NULL;
	if (!(subject->nold & (subject->nold - 1))) {
		more = reallocarray(subject->old, subject->nold ? 2 * subject->nold : 1,
				    sizeof(*more));
		if (!more)
			return NULL;
		subject->old = more;
	}
	more = &subject->old[subject->nold++];
	*more = (struct old_page){.page = page};
	return more;
}

/* Turns to a page. Pools come by address, and so do pages. */
static void turn_to(struct look *look, uint64_t page)
{
	uint64_t key = (uint64_t)look->id << REGION_KEY_SHIFT | page;

	if (look->page == page)
		return;
	look->page = page;
	if (bpf_map_lookup_elem(look->map, &key, &look->pool_page))
		memset(&look->pool_page, 0, sizeof(look->pool_page));
	look->old = find_old(look->subject, page);
}

static int compare_types(const void *a, const void *b)
{
	const struct snapshot_type *x = a, *y = b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Counts what is in a slot by its type. Returns 0 or -ENOMEM. */
static int count_type(struct look *look, __u32 site, const uint8_t *slot, uint32_t size)
{
	struct snapshot_type key = {.site = site}, **known, *type;

	key.name = type_table__name(look->subject->types, slot, size);
	known = tfind(&key, &look->types->tree, compare_types);
	if (!known) {
		type = malloc(sizeof(*type));
		if (!type)
			return -ENOMEM;
		*type = key;
		known = tsearch(type, &look->types->tree, compare_types);
		if (!known) {
			free(type);
			return -ENOMEM;
		}
		look->types->n++;
	}
	(*known)->count++;
	(*known)->bytes += size;
	return 0;
}

/* Counts a slot. Returns 0 or -ENOMEM. */
static int see_slot(struct look *look, uint64_t address, const uint8_t *slot, uint32_t size,
		    bool lives)
{
	struct subject *subject = look->subject;
	size_t at = address / SMALLEST_SLOT % POOL_PAGE_SLOTS;
	uint64_t bit = 1ULL << (at % 64), *old;
	__u32 site;
	int err;

	turn_to(look, address >> PAGE_SHIFT);
	old = look->old ? &look->old->slots[at / 64] : NULL;
	if (!lives) {
		/* Whatever takes it next is not from before. */
		if (old)
			*old &= ~bit;
		return 0;
	}
	subject->sums.all += size;
	site = look->pool_page.site[at];
	if (site && site < look->collector->most_sites) {
		err = live_sites__add(&subject->live, look->collector->pools_live, site, size);
		return err || !look->types ? err : count_type(look, site, slot, size);
	}
	if (old && !subject->looked)
		*old |= bit;
	if (old && (*old & bit))
		subject->sums.before += size;
	else
		subject->sums.unattributed += size;
	return 0;
}

static int see_pool(void *context, const struct pool *pool)
{
	uint64_t address = pool->address + sizeof(struct pool_header);
	struct look *look = context;
	uint32_t i;
	int err = 0;

	for (i = 0; !err && i < pool->nslots; i++, address += pool->slot_size)
		err = see_slot(look, address, pool->bytes + (address - pool->address),
			       pool->slot_size, pool->live[i]);
	return err;
}

static void refuse(struct subject *subject, pid_t pid, int err)
{
	/* A process that has only ended is no news. */
	if (err == -ENOENT || err == -ESRCH)
		return;
	subject->refused = true;
	log_error("the pools of process %d cannot be read: %s; its small objects are left out", pid,
		  strerror(-err));
}

/* Looks at all pools. If the process ended meanwhile, the last look stays. Returns 0 or -errno. */
static int look_through(struct look *look, const struct process_counters *process)
{
	struct pool_counters *live = look->collector->pools_live;
	struct subject *subject = look->subject;
	struct small_sums before = subject->sums;
	double begin = clock_seconds(CLOCK_MONOTONIC);
	size_t torn = 0;
	bool holds;
	int err = live_sites__begin(&subject->live, live);

	if (err)
		return err;
	subject->sums = (struct small_sums){0};
	if (!subject->looked)
		subject->nold = 0;
	err = pool_reader__look(subject->reader, POOLS_WHOLE, see_pool, look, &torn);
	holds = !err && process__has_memory(process);
	live_sites__end(&subject->live, live, holds);
	if (!holds) {
		subject->sums = before;
	} else {
		subject->looked = true;
		subject->seen_ns = (uint64_t)(begin * 1e9);
	}
	if (torn)
		log_detail("process %u: %zu pools changed while they were read", process->pid,
			   torn);
	return err;
}

/* Looks at a running process. A fork has its parent's pool size. types: see struct look. Returns 0
 * or -ENOMEM. */
static int look_at(struct collector *collector, const struct process_counters *processes, __u32 id,
		   struct type_counts *types)
{
	struct objects *objects = collector->own;
	struct subject *subject = &objects->subjects[id];
	struct look look = {
		.collector = collector,
		.subject = subject,
		.id = id,
		.map = bpf_map__fd(objects->bpf->maps.pool_pages),
		.page = UINT64_MAX,
		.types = types,
	};
	const struct address_space space = address_space__of_process(processes[id].pid);
	int err = 0;

	if (!subject->pool_size && processes[id].parent < MAX_PROCESSES)
		subject->pool_size = objects->subjects[processes[id].parent].pool_size;
	if (!subject->pool_size || subject->refused)
		return 0;
	if (!subject->types)
		subject->types = type_table__new(space);
	if (!subject->types)
		return -ENOMEM;
	if (!subject->reader)
		err = pool_reader__new(space, subject->pool_size, &subject->reader);
	if (!err)
		err = look_through(&look, &processes[id]);
	if (err && err != -ENOMEM) {
		refuse(subject, processes[id].pid, err);
		err = 0;
	}
	return err;
}

/* A process that has ended needs no readers any more. */
static void close_readers(struct subject *subject)
{
	pool_reader__free(subject->reader);
	type_table__free(subject->types);
	subject->reader = NULL;
	subject->types = NULL;
}

static int look_at_all(struct collector *collector, bool new_ones, struct type_counts *types)
{
	struct objects *objects = collector->own;
	const struct process_counters *processes;
	size_t n, id;
	int err = 0;

	processes = counters__processes(collector->counters, &n);
	/* We do not know whether slots that sites take from now on live. */
	if (!new_ones)
		memcpy(collector->pools_looked, collector->pools_taken, counters_size(collector));
	for (id = 1; !err && id < n; id++) {
		if (!processes[id].pid || processes[id].state != PROCESS_RUNNING)
			close_readers(&objects->subjects[id]);
		else if (!new_ones || !objects->subjects[id].looked)
			err = look_at(collector, processes, id, types);
	}
	return err;
}

static int objects_keep_up(struct collector *collector)
{
	double begin = clock_seconds(CLOCK_MONOTONIC), took;
	struct objects *objects = collector->own;
	int err = look_at_all(collector, begin < objects->next_look, NULL);

	if (begin < objects->next_look)
		return err;
	took = clock_seconds(CLOCK_MONOTONIC) - begin;
	objects->next_look = begin + LOOK_SECONDS + took / LOOK_SHARE;
	return err;
}

static void take_type(const void *node, VISIT visit, void *context)
{
	struct snapshot *snapshot = context;

	if (visit == postorder || visit == leaf)
		snapshot->types[snapshot->ntypes++] = **(struct snapshot_type *const *)node;
}

/* Returns 0 or -ENOMEM. */
static int take_types(struct snapshot *snapshot, const struct type_counts *counts)
{
	snapshot->types = calloc(counts->n + 1, sizeof(*snapshot->types));
	if (!snapshot->types)
		return -ENOMEM;
	twalk_r(counts->tree, take_type, snapshot);
	return 0;
}

static int objects_snapshot(struct collector *collector, struct snapshot **result)
{
	const struct objects *objects = collector->own;
	struct type_counts types = {0};
	const struct subject *subject;
	struct process_counters *process;
	int err = look_at_all(collector, false, &types);
	size_t id;

	if (!err)
		err = arenas__look(objects->arenas);
	if (!err)
		err = collector__read(collector, result);
	if (!err)
		err = take_types(*result, &types);
	tdestroy(types.tree, free);
	if (err)
		return err;
	arenas__describe(objects->arenas, *result);
	for (id = 1; id < (*result)->nprocesses; id++) {
		process = &(*result)->processes[id];
		subject = &objects->subjects[id];
		process->small_seen_ns = subject->seen_ns;
		process->small_bytes = subject->sums.all;
		process->small_before_bytes = subject->sums.before;
		process->small_unattributed_bytes = subject->sums.unattributed;
	}
	return 0;
}

static const struct collector_type objects_collector = {
	.probes = {.allocators = true, .pools = true},
	.load = objects_load,
	.unload = objects_unload,
	.attach = objects_attach,
	.meet = objects_meet,
	.keep_up = objects_keep_up,
	.snapshot = objects_snapshot,
	.forget = objects_forget,
};

const struct mode objects_mode = {
	.name = "objects",
	.help = "every object not freed yet, small ones too, by the line that allocated it",
	.schema = &heap_schema,
	.warning = "a trap for each object made, as much as tracemalloc costs",
	.can_pause = true,
	.counts_small = true,
	.counts_arenas = true,
	.collector = &objects_collector,
};
