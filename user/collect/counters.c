// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/kernel.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/bpf_maps.h"
#include "collect/counters.h"
#include "collect/verifier_stats.h"

struct counters {
	const struct bpf_object *object;
	struct record_sink sink;
	struct ring_buffer *ring;
	struct process_counters *processes; /* mapped */
	size_t max_sites;
	size_t next_site;  /* the next one that was never in the queue */
	size_t free_sites; /* in the queue; too low if threads made the same site at once */
};

static size_t processes_size(void)
{
	return MAX_PROCESSES * sizeof(struct process_counters);
}

/* Threads for which a hash has room. With task storage, only the few whose element could not be
 * made there. */
#define STRAY_THREADS 256
#define THREADS	      2048

/* Stacks of markers take 25 KiB each, so there are fewer if they must be allocated beforehand. */
#define MARKED_THREADS 512

/* Processes that come later and are not forked by a target: 0.5 MiB of probe tables. */
#define LATER_IMAGES 256

static unsigned int most_images(const struct collector_options *options)
{
	unsigned int wanted = options->targets + LATER_IMAGES;

	return wanted < MAX_IMAGES ? wanted : MAX_IMAGES;
}

/* Of the sites, those that are kept for stacks that come when no other is left. */
static size_t leaf_sites(size_t max_sites)
{
	size_t n = max_sites / 16;

	return n < 1 ? 1 : n > 4096 ? 4096 : n;
}

/* Sets the maps' sizes, and how they get their memory: for the elements they have, if the kernel
 * can allocate those as they are made; else for all that they have room for. */
static int size_maps(struct bpf_object *object, const struct collector_options *options,
		     bool allocate)
{
	bool storage = feature__has(FEATURE_TASK_STORAGE);
	bool marker_storage = feature__has(FEATURE_LARGE_STORAGE);
	const struct {
		const char *map;
		unsigned int entries;
	} sizes[] = {
		{"sites", options->max_sites},
		{"free_sites", options->max_sites},
		{"leaf_sites", leaf_sites(options->max_sites)},
		{"site_counters", options->max_sites},
		{"site_peaks", options->peak ? options->max_sites : 1},
		{"probe_tables", most_images(options)},
		{"pool_tables", most_images(options)},
		{"pool_counters", options->max_sites},
		{"codes", options->max_sites > 65536 ? options->max_sites : 65536},
		{"thread_table", storage ? STRAY_THREADS : THREADS},
		{"marker_table", marker_storage ? STRAY_THREADS
				 : allocate	? THREADS
						: MARKED_THREADS},
	};
	struct bpf_map *map;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		map = bpf_object__find_map_by_name(object, sizes[i].map);
		/* Some only one mode has. */
		err = map ? bpf_map__set_max_entries(map, sizes[i].entries) : 0;
	}
	bpf_object__for_each_map (map, object) {
		if (err)
			break;
		if (bpf_map__type(map) == BPF_MAP_TYPE_HASH && allocate)
			err = bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	}
	return err;
}

/* Maps that are not used are not created. */
static int select_maps(struct bpf_object *object, const struct config *config)
{
	bool storage = config->has_task_storage, markers = config->use_markers;
	bool marker_storage = config->has_marker_storage;
	const struct {
		const char *map;
		bool used;
	} maps[] = {
		{"thread_storage", storage}, {"marker_storage", markers && marker_storage},
		{"marker_table", markers},   {"marker_blank", markers},
		{"marker_sites", markers},   {"fork_ring", config->tell_forks},
	};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++)
		err = bpf_map__set_autocreate(bpf_object__find_map_by_name(object, maps[i].map),
					      maps[i].used);
	return err;
}

/* Maps of another collector of the same recording. */
static const char *const shared_maps[] = {
	"ring",	      "process_counters", "processes", "free_processes", "sites",
	"free_sites", "leaf_sites",	  "codes",     "layouts",	 ".data.codes",
};

static int share_maps(struct bpf_object *object, const struct bpf_object *first)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && first && i < sizeof(shared_maps) / sizeof(shared_maps[0]); i++)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, shared_maps[i]),
					bpf_object__find_map_fd_by_name(first, shared_maps[i]));
	return err;
}

int counters__configure(struct bpf_object *object, struct config *config,
			const struct collector_options *options, bool can_allocate)
{
	int err;

	kernel_features__log();
	config->max_frames = options->max_frames;
	config->max_walk = options->max_frames * 2;
	config->has_task_storage = feature__has(FEATURE_TASK_STORAGE);
	config->has_marker_storage = feature__has(FEATURE_LARGE_STORAGE);
	config->use_markers = options->markers;
	config->follow_children = options->follow;
	config->is_second = options->first != NULL;
	config->follow_execs = options->follow && !options->first;
	config->watch_execs = options->watch_execs && !options->first;
	config->idle = options->idle;
	config->peak = options->peak;
	config->tell_forks = !options->first && !feature__has(FEATURE_OWN_CONTEXTS);
	config->cpus = libbpf_num_possible_cpus();
	/* Kernels without that feature keep no counters per CPU. */
	err = bpf_program__set_autoload(bpf_object__find_program_by_name(object, "pymemtop_cpus"),
					feature__has(FEATURE_PERCPU_LOOKUP));
	if (!err)
		err = size_maps(object, options,
				feature__has(FEATURE_HASH_ALLOCATION) && can_allocate);
	if (!err)
		err = select_maps(object, config);
	if (!err)
		err = share_maps(object, options->first);
	if (!err && options->stats)
		err = verifier_stats__ask(options->stats, object);
	return err;
}

static int on_record(void *context, void *data, size_t size)
{
	struct counters *counters = context;

	if (size >= sizeof(struct record) && ((const struct record *)data)->type == RECORD_SITE &&
	    counters->free_sites)
		counters->free_sites--;
	return counters->sink.take(counters->sink.context, data, size);
}

/* Keep at least that many sites in the queue, while any are left: a burst of new ones must not wait
 * for us. It is a fifth of what the ring has room for. */
#define SITES_AHEAD 16384

static int push(const struct counters *counters, const char *queue, __u32 number)
{
	int fd = bpf_object__find_map_fd_by_name(counters->object, queue);

	return bpf_map_update_elem(fd, NULL, &number, BPF_ANY);
}

static int fill_sites(struct counters *counters)
{
	int err;

	while (counters->free_sites < SITES_AHEAD && counters->next_site < counters->max_sites) {
		err = push(counters, "free_sites", counters->next_site);
		if (err)
			return err == -E2BIG ? 0 : err;
		counters->next_site++;
		counters->free_sites++;
	}
	return 0;
}

static int push_leaf_sites(struct counters *counters)
{
	size_t n = leaf_sites(counters->max_sites);
	int err = 0;

	while (!err && counters->next_site <= n)
		err = push(counters, "leaf_sites", counters->next_site++);
	return err;
}

static int push_processes(struct counters *counters)
{
	__u32 id;
	int err = 0;

	for (id = 1; !err && id < MAX_PROCESSES; id++)
		err = push(counters, "free_processes", id);
	return err;
}

int counters__new(const struct bpf_object *object, const struct collector_options *options,
		  const struct record_sink *sink, struct counters **result)
{
	struct counters *counters = calloc(1, sizeof(*counters));
	int err;

	if (!counters)
		return -ENOMEM;
	counters->object = object;
	counters->next_site = 1;
	counters->sink = *sink;
	counters->max_sites = options->max_sites;
	err = map__mmap(object, "process_counters", processes_size(),
			(void **)&counters->processes);
	if (!err) {
		counters->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"),
						  on_record, counters, NULL);
		err = counters->ring ? 0 : -errno;
	}
	if (!err)
		err = push_leaf_sites(counters);
	if (!err)
		err = fill_sites(counters);
	if (!err)
		err = push_processes(counters);
	if (err) {
		counters__free(counters);
		return err;
	}
	*result = counters;
	return 0;
}

void counters__free(struct counters *counters)
{
	if (!counters)
		return;
	ring_buffer__free(counters->ring);
	if (counters->processes)
		munmap(counters->processes, processes_size());
	free(counters);
}

int counters__fd(const struct counters *counters)
{
	return ring_buffer__epoll_fd(counters->ring);
}

int counters__drain(struct counters *counters)
{
	int err = ring_buffer__consume(counters->ring);

	return err < 0 ? err : fill_sites(counters);
}

int counters__open_process(struct counters *counters, const struct process_counters *process)
{
	int fd = bpf_object__find_map_fd_by_name(counters->object, "free_processes");
	__u32 id;

	if (bpf_map_lookup_and_delete_elem(fd, NULL, &id))
		return -E2BIG;
	counters->processes[id] = *process;
	return id;
}

bool counters__has_site(const struct counters *counters, __u32 site, __u64 hash)
{
	int fd = bpf_object__find_map_fd_by_name(counters->object, "sites");
	__u32 number;

	return !bpf_map_lookup_elem(fd, &hash, &number) && number == site;
}

int counters__free_site(struct counters *counters, __u32 site, __u64 hash)
{
	int fd = bpf_object__find_map_fd_by_name(counters->object, "sites");

	bpf_map_delete_elem(fd, &hash);
	counters->free_sites++;
	return push(counters, "free_sites", site);
}

int counters__free_process(struct counters *counters, __u32 id)
{
	memset(&counters->processes[id], 0, sizeof(counters->processes[id]));
	return push(counters, "free_processes", id);
}

void counters__set_state(struct counters *counters, __u32 id, enum process_state state)
{
	*(volatile __u32 *)&counters->processes[id].state = state;
}

void counters__reparent(struct counters *counters, __u32 id, __u32 parent)
{
	*(volatile __u32 *)&counters->processes[id].parent = parent;
}

const struct process_counters *counters__processes(const struct counters *counters, size_t *n)
{
	*n = MAX_PROCESSES;
	return counters->processes;
}

bool process__has_memory(const struct process_counters *process)
{
	return *(const volatile __u32 *)&process->state == PROCESS_RUNNING &&
	       proc_status_bytes(process->pid, "RssAnon");
}

size_t counters__next_site(const struct counters *counters)
{
	return counters->next_site;
}

size_t counters__sites_left(const struct counters *counters)
{
	return counters->free_sites + (counters->max_sites - counters->next_site);
}

size_t counters__most_sites(const struct counters *counters)
{
	return counters->max_sites;
}

bool counters__has_code(const struct counters *counters, __u32 process, __u64 address)
{
	int fd = bpf_object__find_map_fd_by_name(counters->object, "codes");
	__u64 key = (__u64)process << PROCESS_KEY_SHIFT | address;
	__u8 known;

	return !bpf_map_lookup_elem(fd, &key, &known);
}
