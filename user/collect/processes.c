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
	struct numbers *numbers;
	const struct counters *counters;
	struct uprobe_events *probes;
	struct bpf_link *links[LIFECYCLE];
	struct py_layout layouts[MAX_LAYOUTS]; /* as in the map */
	__u32 nlayouts;
	size_t kept; /* processes, by id, that uprobe_events__keep() was called for */
	double next_sweep;
	bool swept[MAX_PROCESSES]; /* by process id */
};

struct processes *processes__new(const struct bpf_object *object, struct numbers *numbers,
				 const struct counters *counters, struct uprobe_events *probes)
{
	struct processes *processes = calloc(1, sizeof(*processes));

	if (!processes)
		return NULL;
	processes->object = object;
	processes->numbers = numbers;
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

static int write_counters(struct processes *processes, const struct target *target, __u32 id,
			  enum process_state state)
{
	struct process_counters counters = {.pid = target->pid, .state = state};

	memcpy(counters.comm, target->comm, sizeof(counters.comm));
	return update(processes, "process_counters", &id, &counters);
}

int processes__open(struct processes *processes, struct target *const *targets, size_t n)
{
	int err = attach_lifecycle(processes);
	__u32 id;

	processes->numbers->next_process = processes->kept = n + 1;
	for (id = 1; !err && id <= n; id++) {
		err = write_counters(processes, targets[id - 1], id, PROCESS_RUNNING);
		if (err)
			log_error("process %d has no books: %s", targets[id - 1]->pid,
				  strerror(-err));
	}
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
			err = write_counters(processes, targets[i], i + 1, PROCESS_EXITED);
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
	for (; processes->kept < n; processes->kept++) {
		pid_t pid = counts[processes->kept].pid;
		int err = pid ? uprobe_events__keep(processes->probes, pid) : 0;

		if (err && err != -ESRCH)
			log_detail("process %d: %s", pid, strerror(-err));
	}
}

static const struct {
	const char *map;
	int shift; /* of the process's id in the key; 0: it is in the value */
} swept[] = {
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
		if (processes->swept[id] || !counts[id].pid || counts[id].state == PROCESS_RUNNING)
			continue;
		dead[id] = any = true;
	}
	for (i = 0; any && i < sizeof(swept) / sizeof(swept[0]); i++) {
		map = bpf_object__find_map_by_name(processes->object, swept[i].map);
		if (map && map__sweep(map, swept[i].shift, dead))
			any = false; /* no memory: another time */
	}
	for (id = 1; any && id < n; id++)
		processes->swept[id] |= dead[id];
	/* Where there is much to go through, it is done less often. */
	processes->next_sweep =
		begin + SWEEP_SECONDS + SWEEP_REST * (clock_seconds(CLOCK_MONOTONIC) - begin);
}

void processes__keep_up(struct processes *processes)
{
	const struct process_counters *counts;
	size_t n;

	counts = counters__processes(processes->counters, &n);
	keep_children(processes, counts, n);
	sweep_dead(processes, counts, n);
}
