// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "collect/counters.h"
#include "modes/arenas.h"
#include "modes/live_sites.h"
#include "inspect/pools.h"

/* Looks between snapshots: seconds from one to the next, and their greatest share of the time. */
#define LOOK_SECONDS 1.0
#define LOOK_SHARE   0.01

/* A process. */
struct subject {
	uint32_t pool_size; /* 0: not known */
	struct pool_reader *reader;
	bool refused;
	struct live_sites live; /* sites that had arenas at the last look */
	uint64_t used_bytes, arenas;
};

struct arenas {
	struct collector *collector;
	enum arenas_in in;
	double next_look;
	struct subject subjects[MAX_PROCESSES]; /* by process id */
};

/* The state of a look. */
struct look {
	const struct arenas *arenas;
	struct subject *subject;
	__u32 id;
	uint64_t region; /* the region that owners describes */
	__u32 owners[REGION_PAGES];
	__u32 mapping; /* the last one: pools come by address, and a mapping is in one piece */
	int64_t arena;
};

struct arenas *arenas__new(struct collector *collector, enum arenas_in in)
{
	struct arenas *arenas = calloc(1, sizeof(*arenas));

	if (!arenas)
		return NULL;
	collector->arenas = calloc(collector->most_sites, sizeof(*collector->arenas));
	collector->arenas_are_pages = in == ARENAS_IN_PAGES;
	if (!collector->arenas) {
		free(arenas);
		return NULL;
	}
	arenas->collector = collector;
	arenas->in = in;
	return arenas;
}

void arenas__forget(struct arenas *arenas, __u32 id)
{
	struct subject *subject = &arenas->subjects[id];

	pool_reader__free(subject->reader);
	live_sites__free(&subject->live);
	*subject = (struct subject){0};
}

void arenas__free(struct arenas *arenas)
{
	size_t id;

	if (!arenas)
		return;
	for (id = 0; id < MAX_PROCESSES; id++)
		arenas__forget(arenas, id);
	free(arenas->collector->arenas);
	arenas->collector->arenas = NULL;
	free(arenas);
}

void arenas__meet(struct arenas *arenas, __u32 id, const struct target *target)
{
	arenas->subjects[id].pool_size = target->pool_size;
}

static int map_fd(const struct look *look, const char *name)
{
	return bpf_object__find_map_fd_by_name(look->arenas->collector->object, name);
}

/* Reads who owns the pages of a region: sites, or mappings. */
static void turn_to(struct look *look, uint64_t region)
{
	uint64_t key = (uint64_t)look->id << REGION_KEY_SHIFT | region;
	bool pages = look->arenas->in == ARENAS_IN_PAGES;
	struct page_region read;
	__u32 whole;
	size_t i;

	if (look->region == region)
		return;
	look->region = region;
	memset(look->owners, 0, sizeof(look->owners));
	if (pages) {
		if (!bpf_map_lookup_elem(map_fd(look, "page_regions"), &key, &read))
			memcpy(look->owners, read.owner, sizeof(look->owners));
	} else if (!bpf_map_lookup_elem(map_fd(look, "whole_regions"), &key, &whole)) {
		for (i = 0; i < REGION_PAGES; i++)
			look->owners[i] = whole;
	} else {
		bpf_map_lookup_elem(map_fd(look, "mapped_regions"), &key, look->owners);
	}
}

static int add(struct look *look, __u32 site, uint64_t bytes)
{
	return live_sites__add(&look->subject->live, look->arenas->collector->arenas, site, bytes);
}

/* Counts a page of a pool, which is resident, or mapped. */
static int see_page(struct look *look, uint64_t address)
{
	const struct collector *collector = look->arenas->collector;
	struct mapping mapping;
	__u32 owner;

	turn_to(look, address >> REGION_SHIFT);
	owner = look->owners[address >> PAGE_SHIFT & (REGION_PAGES - 1)];
	if (look->arenas->in == ARENAS_IN_PAGES) {
		/* Pages that are swapped out or from before do not count. */
		if (!owner || owner >= collector->most_sites)
			return 0;
		return add(look, owner, (uint64_t)collector->options.sample << PAGE_SHIFT);
	}
	if (!owner || owner == look->mapping ||
	    bpf_map_lookup_elem(map_fd(look, "mappings"), &owner, &mapping))
		return 0;
	look->mapping = owner;
	return mapping.site < collector->most_sites ? add(look, mapping.site, mapping.bytes) : 0;
}

static int see_pool(void *context, const struct pool *pool)
{
	struct look *look = context;
	uint64_t at;
	int err = 0;

	look->subject->used_bytes += (uint64_t)pool->nlive * pool->slot_size;
	look->subject->arenas += look->arena != pool->arena;
	look->arena = pool->arena;
	for (at = 0; !err && at < look->subject->pool_size; at += 1 << PAGE_SHIFT)
		err = see_page(look, pool->address + at);
	return err;
}

/* Looks at one process. If that is not possible, its arenas stay among its lines' values. Returns 0
 * or -ENOMEM. */
static int look_at(struct arenas *arenas, const struct process_counters *processes, __u32 id)
{
	struct subject *subject = &arenas->subjects[id];
	struct look look = {
		.arenas = arenas,
		.subject = subject,
		.id = id,
		.region = UINT64_MAX,
		.arena = -1,
	};
	uint64_t used_bytes = subject->used_bytes, narenas = subject->arenas;
	size_t torn;
	bool holds;
	int err = 0;

	if (!subject->pool_size && processes[id].parent < MAX_PROCESSES)
		subject->pool_size = arenas->subjects[processes[id].parent].pool_size;
	if (!subject->pool_size || subject->refused)
		return 0;
	if (!subject->reader)
		err = pool_reader__new(address_space__of_process(processes[id].pid),
				       subject->pool_size, &subject->reader);
	if (err) {
		subject->refused = err != -ENOENT && err != -ESRCH;
		return err == -ENOMEM ? err : 0;
	}
	err = live_sites__begin(&subject->live, arenas->collector->arenas);
	if (err)
		return err;
	subject->used_bytes = subject->arenas = 0;
	err = pool_reader__look(subject->reader, POOLS_HEADERS, see_pool, &look, &torn);
	holds = !err && process__has_memory(&processes[id]);
	live_sites__end(&subject->live, arenas->collector->arenas, holds);
	if (!holds) {
		subject->used_bytes = used_bytes;
		subject->arenas = narenas;
	}
	return err == -ENOMEM ? err : 0;
}

/* A process that has ended needs no reader any more. */
static void close_reader(struct subject *subject)
{
	pool_reader__free(subject->reader);
	subject->reader = NULL;
}

int arenas__look(struct arenas *arenas)
{
	const struct process_counters *processes;
	size_t n, id;
	int err = 0;

	processes = counters__processes(arenas->collector->counters, &n);
	for (id = 1; !err && id < n; id++) {
		if (processes[id].pid && processes[id].state == PROCESS_RUNNING)
			err = look_at(arenas, processes, id);
		else
			close_reader(&arenas->subjects[id]);
	}
	return err;
}

int arenas__keep_up(struct arenas *arenas)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	int err;

	if (begin < arenas->next_look)
		return 0;
	err = arenas__look(arenas);
	arenas->next_look =
		begin + LOOK_SECONDS + (clock_seconds(CLOCK_MONOTONIC) - begin) / LOOK_SHARE;
	return err;
}

void arenas__describe(const struct arenas *arenas, struct snapshot *snapshot)
{
	const struct subject *subject;
	size_t id;

	for (id = 1; id < snapshot->nprocesses; id++) {
		subject = &arenas->subjects[id];
		snapshot->processes[id].small_bytes = subject->used_bytes;
		snapshot->processes[id].small_arenas = subject->arenas;
		snapshot->processes[id].small_arena_size =
			subject->pool_size == MAX_POOL_SIZE ? 1 << 20 : 1 << 18;
	}
}
