// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/bpf_maps.h"
#include "collect/processes.h"
#include "probes/attach.h"
#include "target/loaded.h"

/* How often to look for what dead processes left. */
#define SWEEP_SECONDS 1
#define SWEEP_REST    20 /* times the duration of the last one */

/* How often to check whether running processes still exist. */
#define SEARCH_SECONDS 1

/* An address space that is not its parent's: its probes have an index in the array probe_tables. */
struct image {
	struct target *target; /* NULL: the index is free */
	size_t users;	       /* processes that are not swept yet */
	int layout;	       /* index of its layout; -1: it has none yet */
};

struct processes {
	const struct collector_set *collectors;
	struct counters *counters;
	struct keeper *keeper;
	struct {
		struct py_layout layout; /* as in the map */
		size_t users; /* images that have it; 0: another one may take its place */
	} layouts[MAX_LAYOUTS];
	struct image images[MAX_IMAGES];
	size_t most_images; /* the maps' room for them */
	size_t taken;	    /* ids at the last look */
	double next_sweep, next_search;
	struct {
		bool met;	    /* it is known, and its probes are kept */
		bool swept;	    /* it is dead, and has nothing in the maps */
		__u32 image;	    /* valid if it is met */
	} seen[MAX_PROCESSES];	    /* by process id */
	__u32 swept[MAX_PROCESSES]; /* ids, in the order in which they were swept */
	size_t nswept;
};

static const struct bpf_object *first_object(const struct processes *processes)
{
	return processes->collectors->of[0]->object;
}

struct processes *processes__new(const struct collector_set *collectors, struct counters *counters,
				 struct keeper *keeper)
{
	struct processes *processes = calloc(1, sizeof(*processes));
	const struct bpf_map *tables;

	if (!processes)
		return NULL;
	processes->collectors = collectors;
	processes->counters = counters;
	processes->keeper = keeper;
	tables = bpf_object__find_map_by_name(first_object(processes), "probe_tables");
	processes->most_images = bpf_map__max_entries(tables);
	return processes;
}

void processes__free(struct processes *processes)
{
	size_t i;

	if (!processes)
		return;
	for (i = 0; i < MAX_IMAGES; i++)
		target__free(processes->images[i].target);
	free(processes);
}

static int update(const struct processes *processes, const char *map, const void *key,
		  const void *value)
{
	return bpf_map_update_elem(bpf_object__find_map_fd_by_name(first_object(processes), map),
				   key, value, BPF_ANY);
}

/* A free index for an image, or -E2BIG. */
static int find_image(const struct processes *processes)
{
	size_t i;

	for (i = 0; i < processes->most_images; i++) {
		if (!processes->images[i].target)
			return i;
	}
	return -E2BIG;
}

static void release_image(struct processes *processes, __u32 number)
{
	struct image *image = &processes->images[number];
	size_t i;

	if (--image->users)
		return;
	for (i = 0; i < processes->collectors->n; i++)
		attacher__forget(processes->collectors->of[i]->attacher, number);
	if (image->layout >= 0)
		processes->layouts[image->layout].users--;
	target__free(image->target);
	image->target = NULL;
}

int processes__open(struct processes *processes, struct target *target, __u32 parent)
{
	struct process_counters counters = {.pid = target->pid, .parent = parent};
	int image = find_image(processes), id;

	if (image < 0)
		return image;
	memcpy(counters.comm, target->comm, sizeof(counters.comm));
	id = counters__open_process(processes->counters, &counters);
	if (id < 0)
		return id;
	processes->images[image] = (struct image){target, 1, -1};
	processes->seen[id].met = true;
	processes->seen[id].image = image;
	return id;
}

void processes__drop(struct processes *processes, __u32 id)
{
	size_t n;

	keeper__release(processes->keeper, counters__processes(processes->counters, &n)[id].pid,
			id);
	release_image(processes, processes->seen[id].image);
	processes->seen[id].met = false;
	counters__free_process(processes->counters, id);
}

const struct target *processes__target(const struct processes *processes, __u32 id, __u32 *image)
{
	*image = processes->seen[id].image;
	return processes->seen[id].met ? processes->images[*image].target : NULL;
}

int processes__look_at_loaded(struct processes *processes, __u32 id, struct images *images)
{
	size_t n;

	if (!processes->seen[id].met)
		return 0;
	return loaded__look(processes->images[processes->seen[id].image].target,
			    counters__processes(processes->counters, &n)[id].pid, images);
}

/* The layout's number for the BPF side, or -errno. */
static int layout_index(struct processes *processes, const struct py_layout *layout)
{
	__u32 i, free = MAX_LAYOUTS;
	int err;

	for (i = 0; i < MAX_LAYOUTS; i++) {
		if (processes->layouts[i].users &&
		    !memcmp(&processes->layouts[i].layout, layout, sizeof(*layout)))
			return i;
		if (!processes->layouts[i].users && free == MAX_LAYOUTS)
			free = i;
	}
	if (free == MAX_LAYOUTS)
		return -E2BIG;
	err = update(processes, "layouts", &free, layout);
	if (err)
		return err;
	processes->layouts[free].layout = *layout;
	return free;
}

static int admit(struct processes *processes, const struct target *target, __u32 id)
{
	struct image *image = &processes->images[processes->seen[id].image];
	int layout = layout_index(processes, &target->layout);
	struct process process = {
		.id = id,
		.image = processes->seen[id].image,
		.layout = layout,
		.attribution = target->attribution,
		.thread_size = target->thread_size,
		.runtime = target->runtime,
		.code_type = target->code_type,
		.attached_ns = target->before_main ? 0 : clock_seconds(CLOCK_BOOTTIME) * 1e9,
	};
	__u32 tgid = target->pid;

	if (layout < 0)
		return layout;
	image->layout = layout;
	processes->layouts[layout].users++;
	return update(processes, "processes", &tgid, &process);
}

/* Makes the programs forget a process whose end they did not see: its pid may become another's in
 * time. */
static void expel(struct processes *processes, __u32 id, pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(first_object(processes), "processes");
	struct process process;
	__u32 tgid = pid;

	if (!bpf_map_lookup_elem(fd, &tgid, &process) && process.id == id)
		bpf_map_delete_elem(fd, &tgid);
	counters__set_state(processes->counters, id, PROCESS_EXITED);
}

int processes__admit(struct processes *processes, __u32 id)
{
	const struct target *target = processes->images[processes->seen[id].image].target;
	int err = admit(processes, target, id);

	/* It may have ended unseen: then it has no memory, and perhaps waits for its parent. */
	if (!err && !proc_status_bytes(target->pid, "VmSize"))
		expel(processes, id, target->pid);
	if (err)
		log_error("process %d cannot be recorded: %s", target->pid, strerror(-err));
	return err;
}

/* A child shares its parent's image, and keeps its probes. */
static void keep_child(struct processes *processes, const struct process_counters *child, __u32 id)
{
	__u32 image = processes->seen[child->parent].image;
	int err;

	processes->seen[id].met = true;
	processes->seen[id].image = image;
	processes->images[image].users++;
	err = keeper__inherit(processes->keeper, child->pid, id, child->parent);
	if (err)
		log_detail("process %d: %s", child->pid, strerror(-err));
}

/* Meets the children since the last call. A child may come before its parent is met: it gets
 * another turn. */
static void keep_children(struct processes *processes, const struct process_counters *counts,
			  size_t n)
{
	size_t id;
	bool any;

	do {
		any = false;
		processes->taken = 0;
		for (id = 1; id < n; id++) {
			processes->taken += !!counts[id].pid;
			if (!counts[id].pid || processes->seen[id].met ||
			    counts[id].parent >= MAX_PROCESSES ||
			    !processes->seen[counts[id].parent].met)
				continue;
			any = true;
			keep_child(processes, &counts[id], id);
		}
	} while (any);
}

bool processes__are_short(const struct processes *processes)
{
	return processes->taken > MAX_PROCESSES / 2;
}

static const struct {
	const char *map;
	int shift; /* position of the process's id in the key; 0: it is in the value */
} swept_maps[] = {
	{"codes", PROCESS_KEY_SHIFT},
	{"blocks", PROCESS_KEY_SHIFT},
	{"mapped_regions", REGION_KEY_SHIFT},
	{"whole_regions", REGION_KEY_SHIFT},
	{"mappings", 0},
	{"page_regions", REGION_KEY_SHIFT},
	{"last_lines", PROCESS_KEY_SHIFT},
	{"pool_pages", REGION_KEY_SHIFT},
};

static int sweep_maps(const struct processes *processes, const bool *dead)
{
	const struct collector *collector;
	struct bpf_map *map;
	size_t c, i;
	int err = 0;

	for (c = 0; !err && c < processes->collectors->n; c++) {
		collector = processes->collectors->of[c];
		for (i = 0; !err && i < sizeof(swept_maps) / sizeof(swept_maps[0]); i++) {
			map = bpf_object__find_map_by_name(collector->object, swept_maps[i].map);
			if (map)
				err = map__sweep(map, swept_maps[i].shift, dead);
		}
		map = bpf_object__find_map_by_name(collector->object, "block_table");
		if (!err && map)
			err = block_table__sweep(map, dead);
	}
	return err;
}

static void release(struct processes *processes, __u32 id, pid_t pid)
{
	processes->seen[id].swept = true;
	processes->swept[processes->nswept++] = id;
	keeper__release(processes->keeper, pid, id);
	release_image(processes, processes->seen[id].image);
}

/* Frees what dead processes have in maps that they share with the living: a server that forks for
 * years must not fill these. Its counts stay. */
static void sweep_dead(struct processes *processes, const struct process_counters *counts, size_t n)
{
	bool dead[MAX_PROCESSES] = {false}, any = false;
	double begin = clock_seconds(CLOCK_MONOTONIC);
	size_t id;

	if (begin < processes->next_sweep)
		return;
	for (id = 1; id < n; id++) {
		if (!processes->seen[id].met || processes->seen[id].swept ||
		    counts[id].state == PROCESS_RUNNING)
			continue;
		dead[id] = any = true;
	}
	/* First meet the children that they forked, which then have their image. */
	if (any)
		keep_children(processes, counts, n);
	/* If memory is short, do it another time. */
	any = any && !sweep_maps(processes, dead);
	for (id = 1; any && id < n; id++) {
		if (dead[id])
			release(processes, id, counts[id].pid);
	}
	/* If that takes long, do it less often, unless ids are short. */
	processes->next_sweep = clock_seconds(CLOCK_MONOTONIC);
	if (!processes__are_short(processes))
		processes->next_sweep +=
			SWEEP_SECONDS + SWEEP_REST * (processes->next_sweep - begin);
}

/* Finds processes whose end no program saw, because the kernel skipped its run. */
static void find_ended(struct processes *processes, const struct process_counters *counts, size_t n)
{
	size_t id;

	for (id = 1; id < n; id++) {
		if (counts[id].pid && counts[id].state == PROCESS_RUNNING &&
		    !proc_exists(counts[id].pid))
			expel(processes, id, counts[id].pid);
	}
}

void processes__keep_up(struct processes *processes)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	const struct process_counters *counts;
	size_t n;

	counts = counters__processes(processes->counters, &n);
	if (now >= processes->next_search) {
		find_ended(processes, counts, n);
		processes->next_search = now + SEARCH_SECONDS;
	}
	keep_children(processes, counts, n);
	sweep_dead(processes, counts, n);
}

void processes__sweep_soon(struct processes *processes)
{
	processes->next_sweep = 0;
}

/* Marks ids that a process still uses: a vfork() child uses its parent's, and may outlive it. 0 or
 * -ENOMEM. */
static int find_borrowed(const struct processes *processes, bool *borrowed)
{
	const struct bpf_map *map =
		bpf_object__find_map_by_name(first_object(processes), "processes");
	auto_free void *keys = NULL;
	struct process process;
	size_t n, i;
	int err = map__keys(map, &keys, &n);

	for (i = 0; !err && i < n; i++) {
		if (!bpf_map_lookup_elem(bpf_map__fd(map), (__u32 *)keys + i, &process) &&
		    process.id < MAX_PROCESSES)
			borrowed[process.id] = true;
	}
	return err;
}

size_t processes__dead(const struct processes *processes, size_t kept, __u32 *ids, size_t most)
{
	bool borrowed[MAX_PROCESSES] = {false};
	size_t i, n = 0;

	if (processes->nswept <= kept || find_borrowed(processes, borrowed))
		return 0;
	for (i = 0; i < processes->nswept - kept && n < most; i++) {
		if (!borrowed[processes->swept[i]])
			ids[n++] = processes->swept[i];
	}
	return n;
}

int processes__forget(struct processes *processes, __u32 id)
{
	size_t i, n = 0;

	for (i = 0; i < processes->nswept; i++) {
		if (processes->swept[i] != id)
			processes->swept[n++] = processes->swept[i];
	}
	processes->nswept = n;
	processes->seen[id].met = processes->seen[id].swept = false;
	return counters__free_process(processes->counters, id);
}
