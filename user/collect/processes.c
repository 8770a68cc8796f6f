// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/bpf_maps.h"
#include "collect/processes.h"

/* How often what dead processes left is looked for. */
#define SWEEP_SECONDS 1
#define SWEEP_REST    20 /* times as long as the last one took */

/* Of bpf/lifecycle.bpf.h. */
static const char *const lifecycle[] = {"pymemtop_fork", "pymemtop_exec", "pymemtop_exit"};

#define LIFECYCLE (sizeof(lifecycle) / sizeof(lifecycle[0]))

struct processes {
	const struct bpf_object *object;
	struct counters *counters;
	struct uprobe_events *probes;
	struct bpf_link *links[LIFECYCLE];
	struct py_layout layouts[MAX_LAYOUTS]; /* as in the map */
	__u32 nlayouts;
	size_t taken; /* ids, when last looked */
	double next_sweep;
	struct {
		bool met;	    /* it was seen, and its probes are kept */
		bool swept;	    /* it is dead, and holds nothing in the maps */
	} seen[MAX_PROCESSES];	    /* by process id */
	__u32 swept[MAX_PROCESSES]; /* ids, in the order of their ends */
	size_t nswept;
};

struct processes *processes__new(const struct bpf_object *object, struct counters *counters,
				 struct uprobe_events *probes)
{
	struct processes *processes = calloc(1, sizeof(*processes));

	if (!processes)
		return NULL;
	processes->object = object;
	processes->counters = counters;
	processes->probes = probes;
	return processes;
}

void processes__free(struct processes *processes)
{
	size_t i;

	if (!processes)
		return;
	for (i = 0; i < LIFECYCLE; i++)
		bpf_link__destroy(processes->links[i]);
	free(processes);
}

static int update(const struct processes *processes, const char *map, const void *key,
		  const void *value)
{
	return bpf_map_update_elem(bpf_object__find_map_fd_by_name(processes->object, map), key,
				   value, BPF_ANY);
}

static int attach_lifecycle(struct processes *processes)
{
	struct bpf_program *program;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < LIFECYCLE; i++) {
		program = bpf_object__find_program_by_name(processes->object, lifecycle[i]);
		processes->links[i] = bpf_program__attach(program);
		err = libbpf_get_error(processes->links[i]);
	}
	if (err) {
		processes->links[i - 1] = NULL;
		log_error("the scheduler's tracepoints cannot be attached: %s", strerror(-err));
	}
	return err;
}

static struct process_counters counters_of(const struct target *target, enum process_state state)
{
	struct process_counters counters = {.pid = target->pid, .state = state};

	memcpy(counters.comm, target->comm, sizeof(counters.comm));
	return counters;
}

int processes__open(struct processes *processes, struct target *const *targets, size_t n)
{
	struct process_counters counters;
	int err = attach_lifecycle(processes), id = 0;
	size_t i;

	for (i = 0; !err && i < n; i++) {
		counters = counters_of(targets[i], PROCESS_RUNNING);
		id = counters__open_process(processes->counters, &counters);
		err = id < 0 ? id : 0;
		if (!err)
			processes->seen[id].met = true;
	}
	if (!err)
		err = counters__release_ids(processes->counters);
	if (err)
		log_error("the processes cannot be counted: %s", strerror(-err));
	return err;
}

/* The number under which the BPF side finds the layout, or -errno. */
static int layout_index(struct processes *processes, const struct py_layout *layout)
{
	__u32 i;
	int err;

	for (i = 0; i < processes->nlayouts; i++) {
		if (!memcmp(&processes->layouts[i], layout, sizeof(*layout)))
			return i;
	}
	if (i == MAX_LAYOUTS)
		return -E2BIG;
	err = update(processes, "layouts", &i, layout);
	if (err)
		return err;
	processes->layouts[processes->nlayouts++] = *layout;
	return i;
}

static int admit(struct processes *processes, const struct target *target, __u32 id)
{
	int layout = layout_index(processes, &target->layout);
	struct process process = {
		.id = id,
		.image = id - 1,
		.layout = layout,
		.attribution = target->attribution,
		.thread_size = target->thread_size,
		.runtime = target->runtime,
		.code_type = target->code_type,
		.attached_ns = target->before_main ? 0 : clock_seconds(CLOCK_BOOTTIME) * 1e9,
	};
	__u32 tgid = target->pid;

	return layout < 0 ? layout : update(processes, "processes", &tgid, &process);
}

int processes__admit(struct processes *processes, struct target *const *targets, size_t n)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		err = admit(processes, targets[i], i + 1);
		/* It may have ended before that was seen. */
		if (!err && !proc_exists(targets[i]->pid))
			counters__set_state(processes->counters, i + 1, PROCESS_EXITED);
		if (err)
			log_error("process %d cannot be recorded: %s", targets[i]->pid,
				  strerror(-err));
	}
	return err;
}

/* Children since the last call keep their probes. */
static void keep_children(struct processes *processes, const struct process_counters *counts,
			  size_t n)
{
	size_t id;
	int err;

	processes->taken = 0;
	for (id = 1; id < n; id++) {
		processes->taken += !!counts[id].pid;
		if (!counts[id].pid || processes->seen[id].met)
			continue;
		processes->seen[id].met = true;
		err = uprobe_events__keep(processes->probes, counts[id].pid);
		if (err && err != -ESRCH)
			log_detail("process %d: %s", counts[id].pid, strerror(-err));
	}
}

bool processes__are_short(const struct processes *processes)
{
	return processes->taken > MAX_PROCESSES / 2;
}

static const struct {
	const char *map;
	int shift; /* of the process's id in the key; 0: it is in the value */
} swept_maps[] = {
	{"codes", PROCESS_KEY_SHIFT},
	{"blocks", PROCESS_KEY_SHIFT},
	{"mapped_regions", REGION_KEY_SHIFT},
	{"whole_regions", REGION_KEY_SHIFT},
	{"mappings", 0},
	{"page_regions", REGION_KEY_SHIFT},
	{"last_lines", PROCESS_KEY_SHIFT},
};

/* What dead processes held makes room again, in maps that the living share: a server
 * that forks for years must not fill them. What they held stays in the counts. */
static void sweep_dead(struct processes *processes, const struct process_counters *counts, size_t n)
{
	bool dead[MAX_PROCESSES] = {false}, any = false;
	double begin = clock_seconds(CLOCK_MONOTONIC);
	struct bpf_map *map;
	size_t id, i;

	if (begin < processes->next_sweep)
		return;
	for (id = 1; id < n; id++) {
		if (processes->seen[id].swept || !counts[id].pid ||
		    counts[id].state == PROCESS_RUNNING)
			continue;
		dead[id] = any = true;
	}
	for (i = 0; any && i < sizeof(swept_maps) / sizeof(swept_maps[0]); i++) {
		map = bpf_object__find_map_by_name(processes->object, swept_maps[i].map);
		if (map && map__sweep(map, swept_maps[i].shift, dead))
			any = false; /* no memory: another time */
	}
	for (id = 1; any && id < n; id++) {
		if (!dead[id])
			continue;
		processes->seen[id].swept = true;
		processes->swept[processes->nswept++] = id;
		uprobe_events__release(processes->probes, counts[id].pid);
	}
	/* Where there is much to go through, it is done less often, as long as there is time. */
	processes->next_sweep = clock_seconds(CLOCK_MONOTONIC);
	if (!processes__are_short(processes))
		processes->next_sweep +=
			SWEEP_SECONDS + SWEEP_REST * (processes->next_sweep - begin);
}

void processes__keep_up(struct processes *processes)
{
	const struct process_counters *counts;
	size_t n;

	counts = counters__processes(processes->counters, &n);
	keep_children(processes, counts, n);
	sweep_dead(processes, counts, n);
}

/* Ids that a process has which is not the one that is counted under them: made by vfork(), it
 * may outlive its parent. 0 or -ENOMEM. */
static int find_borrowed(const struct processes *processes, bool *borrowed)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(processes->object, "processes");
	struct process process;
	size_t n, i;
	void *keys;
	int err = map__keys(map, &keys, &n);

	for (i = 0; !err && i < n; i++) {
		if (!bpf_map_lookup_elem(bpf_map__fd(map), (__u32 *)keys + i, &process) &&
		    process.id < MAX_PROCESSES)
			borrowed[process.id] = true;
	}
	if (!err)
		free(keys);
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
