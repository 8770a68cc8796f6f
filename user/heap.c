// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dispatch.h"
#include "heap.h"
#include "heap.skel.h"
#include "maps.h"
#include "probe_points.h"
#include "say.h"
#include "system.h"

/* How often what dead processes left is looked for. */
#define SWEEP_SECONDS 1
#define SWEEP_REST 20	/* times as long as the last one took */

/* Far more than libc has; each further allocator in the process has its own. */
#define MAX_PROBES 256

/* The probes of one process, as they are put together. */
struct image {
	struct dispatch probes[MAX_PROBES];
	size_t nprobes;
};

struct source {
	struct heap_bpf *bpf;
	struct ring_buffer *ring;
	struct probes *probes;
	struct stacks *stacks;
	struct source_options options;
	const struct process_book *books;	/* mapped */
	const struct site_count *counts;	/* mapped */
	double attached;
	size_t kept;	/* processes, by id, that probes__keep() was called for */
	__u32 nmarkers;	/* marker_sites so far */
	struct py_layout layouts[MAX_LAYOUTS];	/* as in the map */
	__u32 nlayouts;
	double next_sweep;
	bool swept[MAX_PROCESSES];	/* by process id */
};

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static size_t books_size(void)
{
	return MAX_PROCESSES * sizeof(struct process_book);
}

static size_t counts_size(const struct source *source)
{
	return source->options.max_sites * sizeof(struct site_count);
}

static void heap_close(struct source *source)
{
	if (!source)
		return;
	probes__free(source->probes);
	ring_buffer__free(source->ring);
	if (source->books)
		munmap((void *)source->books, books_size());
	if (source->counts)
		munmap((void *)source->counts, counts_size(source));
	heap_bpf__destroy(source->bpf);
	free(source);
}

static int on_record(void *context, void *data, size_t size)
{
	return stacks__add_record(context, data, size);
}

/* The maps' sizes, and how they get their memory. */
static int size_maps(struct heap_bpf *bpf, const struct source_options *options,
		     const struct system_features *features)
{
	struct bpf_map *map;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.blocks, options->max_blocks);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.sites, options->max_sites);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.site_numbers, options->max_sites);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.site_counts, options->max_sites);
	if (!err)
		err = bpf_map__set_max_entries(bpf->maps.probe_tables, options->targets);
	if (!err && options->max_sites > bpf_map__max_entries(bpf->maps.codes))
		err = bpf_map__set_max_entries(bpf->maps.codes, options->max_sites);
	bpf_object__for_each_map(map, bpf->obj) {
		if (err)
			break;
		/* Memory for what there is, not for what there may be. */
		if (bpf_map__type(map) == BPF_MAP_TYPE_HASH && features->bpf_allocator)
			err = bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	}
	if (!err && !features->bpf_allocator)
		err = bpf_map__set_max_entries(bpf->maps.regions, 1 << 12);
	return err;
}

/* What is not used is not loaded. */
static int select_features(struct heap_bpf *bpf, const struct source_options *options,
			   const struct system_features *features)
{
	bool storage = features->task_storage, markers = options->markers;
	const struct {
		struct bpf_map *map;
		bool used;
	} maps[] = {
		{ bpf->maps.thread_storage, storage },
		{ bpf->maps.thread_table, !storage },
		{ bpf->maps.thread_blank, !storage },
		{ bpf->maps.marker_storage, markers && storage },
		{ bpf->maps.marker_table, markers && !storage },
		{ bpf->maps.marker_blank, markers && !storage },
		{ bpf->maps.marker_sites, markers },
	};
	size_t i;
	int err = 0;

	bpf->rodata->has_task_storage = storage;
	bpf->rodata->use_markers = markers;
	for (i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++)
		err = bpf_map__set_autocreate(maps[i].map, maps[i].used);
	return err;
}

static int map_counts(struct source *source)
{
	void *books, *counts;

	books = mmap(NULL, books_size(), PROT_READ, MAP_SHARED,
		     bpf_map__fd(source->bpf->maps.process_books), 0);
	if (books == MAP_FAILED)
		return -errno;
	source->books = books;
	counts = mmap(NULL, counts_size(source), PROT_READ, MAP_SHARED,
		      bpf_map__fd(source->bpf->maps.site_counts), 0);
	if (counts == MAP_FAILED)
		return -errno;
	source->counts = counts;
	return 0;
}

/* The number under which the BPF side finds the layout, or -errno. */
static int layout_index(struct source *source, const struct py_layout *layout)
{
	__u32 i;
	int err;

	for (i = 0; i < source->nlayouts; i++) {
		if (!memcmp(&source->layouts[i], layout, sizeof(*layout)))
			return i;
	}
	if (i == MAX_LAYOUTS)
		return -E2BIG;
	err = bpf_map_update_elem(bpf_map__fd(source->bpf->maps.layouts), &i, layout, BPF_ANY);
	if (err)
		return err;
	source->layouts[source->nlayouts++] = *layout;
	return i;
}

static int load(struct source *source)
{
	struct system_features features = system__features();
	struct heap_bpf *bpf = heap_bpf__open();
	int err;

	source->bpf = bpf;
	if (!bpf)
		return -errno;
	say_detail("task storage in uprobes: %s; allocation of map elements in uprobes: %s",
		   features.task_storage ? "yes" : "no, a hash by thread id",
		   features.bpf_allocator ? "yes" : "no, preallocated");
	bpf->rodata->idle = source->options.idle;
	bpf->rodata->max_frames = source->options.max_frames;
	bpf->rodata->max_walk = source->options.max_frames * 2;
	bpf->rodata->max_sites = source->options.max_sites;
	bpf->rodata->follow_children = source->options.follow;
	err = size_maps(bpf, &source->options, &features);
	if (!err)
		err = select_features(bpf, &source->options, &features);
	if (!err)
		err = heap_bpf__load(bpf);
	if (!err)
		err = map_counts(source);
	if (err)
		return err;
	source->ring = ring_buffer__new(bpf_map__fd(bpf->maps.ring), on_record, source->stacks,
					NULL);
	return source->ring ? 0 : -errno;
}

/* Each watched thread takes a descriptor for each probe. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max = 1 << 20;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			say_detail("the limit on open files stays: %s", strerror(errno));
	}
}

static int heap_open(const struct source_options *options, struct stacks *stacks,
		     struct source **result)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->options = *options;
	source->stacks = stacks;
	raise_file_limit();
	err = load(source);
	if (err) {
		say_error("the BPF programs cannot be loaded: %s; --verbose shows the kernel's log",
			  strerror(-err));
		goto fail;
	}
	err = probes__new(&source->probes);
	if (err)
		goto fail;
	*result = source;
	return 0;
fail:
	heap_close(source);
	return err;
}

/* Puts one probe where it belongs, and notes how the BPF side will know it. */
static int add_probe(struct source *source, struct image *image, const struct probe_point *point)
{
	struct dispatch probe = { .kind = point->kind };
	int fd = elf_file__fd(point->file->elf), err;
	uint64_t offset;

	if (!elf_file__code_offset(point->file->elf, point->placement.address, &offset))
		return -ENOEXEC;
	if (image->nprobes == MAX_PROBES)
		return -E2BIG;
	if (!point->placement.emulated && !source->options.at_entry)
		say_detail("%s: probed at \"%s\", which the kernel single-steps: some 35 times the cost "
			   "of the others", point->function, point->placement.instruction);
	if (point->marker) {
		if (source->nmarkers >= bpf_map__max_entries(source->bpf->maps.marker_sites))
			return -E2BIG;
		err = bpf_map_update_elem(bpf_map__fd(source->bpf->maps.marker_sites),
					  &source->nmarkers, point->marker, BPF_ANY);
		if (err)
			return err;
		probe.marker = source->nmarkers++;
	}
	probe.address = point->file->bias + point->placement.address;
	image->probes[image->nprobes++] = probe;
	err = probes__add(source->probes, "enter", false, fd, offset, point->semaphore);
	if (!err && point->returns)
		err = probes__add(source->probes, "leave", true, fd, offset, 0);
	return err;
}

static int add_probes(struct source *source, const struct target *target, struct image *image)
{
	struct probe_point *points;
	size_t n, i;
	int err = probe_points__list(target, source->options.at_entry, &points, &n);

	if (err)
		return err;
	for (i = 0; !err && i < n; i++)
		err = add_probe(source, image, &points[i]);
	free(points);
	return err;
}

/* Defines a target's probes, and tells the BPF side how to know them. */
static int prepare(struct source *source, const struct target *target, __u32 index)
{
	struct image image = { .nprobes = 0 };
	struct probe_table table;
	int err = add_probes(source, target, &image);

	if (!err)
		err = dispatch__make(image.probes, image.nprobes, &table);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(source->bpf->maps.probe_tables), &index, &table,
					  BPF_ANY);
	if (err)
		say_error("process %d cannot be probed: %s", target->pid, strerror(-err));
	return err;
}

static int attach_lifecycle(struct heap_bpf *bpf)
{
	bpf->links.process_fork = bpf_program__attach(bpf->progs.process_fork);
	bpf->links.process_exec = bpf_program__attach(bpf->progs.process_exec);
	bpf->links.process_exit = bpf_program__attach(bpf->progs.process_exit);
	if (bpf->links.process_fork && bpf->links.process_exec && bpf->links.process_exit)
		return 0;
	say_error("the scheduler's tracepoints cannot be attached: %s", strerror(errno));
	return -errno;
}

static int write_book(struct source *source, const struct target *target, __u32 id)
{
	struct process_book book = { .pid = target->pid };

	memcpy(book.comm, target->comm, sizeof(book.comm));
	return bpf_map_update_elem(bpf_map__fd(source->bpf->maps.process_books), &id, &book, BPF_ANY);
}

/* From here on the programs take note of what the process does: every probe is in
 * place by now, so nothing is seen by halves. */
static int admit(struct source *source, const struct target *target, __u32 id)
{
	int layout = layout_index(source, &target->layout);
	struct process process = {
		.id = id,
		.image = id - 1,
		.layout = layout,
		.attribution = target->attribution,
		.runtime = target->runtime,
		.code_type = target->code_type,
		.attached_ns = target->fresh ? 0 : now(CLOCK_BOOTTIME) * 1e9,
	};
	__u32 tgid = target->pid;

	if (layout < 0)
		return layout;
	return bpf_map_update_elem(bpf_map__fd(source->bpf->maps.processes), &tgid, &process,
				   BPF_ANY);
}

static int heap_attach(struct source *source, struct target *const *targets, size_t n)
{
	int err = attach_lifecycle(source->bpf);
	size_t i;

	source->bpf->data->next_process = source->kept = n + 1;
	for (i = 0; !err && i < n; i++) {
		err = prepare(source, targets[i], i);
		if (!err)
			err = write_book(source, targets[i], i + 1);
	}
	if (!err)
		err = probes__attach(source->probes, "leave", source->bpf->progs.leave,
				     targets[0]->pid);
	if (!err)
		err = probes__attach(source->probes, "enter", source->bpf->progs.enter,
				     targets[0]->pid);
	for (i = 0; !err && i < n; i++)
		err = probes__watch(source->probes, targets[i]->pid, source->options.follow);
	source->attached = now(CLOCK_MONOTONIC);
	for (i = 0; !err && i < n; i++) {
		err = admit(source, targets[i], i + 1);
		if (err)
			say_error("process %d cannot be recorded: %s", targets[i]->pid,
				  strerror(-err));
	}
	return err;
}

static size_t process_count(const struct source *source)
{
	size_t n = *(volatile __u32 *)&source->bpf->data->next_process;

	return n < MAX_PROCESSES ? n : MAX_PROCESSES;
}

/* Children since the last call keep their probes. */
static void keep_children(struct source *source)
{
	for (; source->kept < process_count(source); source->kept++) {
		pid_t pid = source->books[source->kept].pid;
		int err = pid ? probes__keep(source->probes, pid) : 0;

		if (err && err != -ESRCH)
			say_detail("process %d: %s", pid, strerror(-err));
	}
}

static const struct {
	size_t map;	/* offset in struct heap_bpf's maps */
	int shift;	/* of the process's id in the key; 0: it is in the value */
} swept[] = {
#define MAP(name) offsetof(struct heap_bpf, maps.name)
	{ MAP(blocks), PROCESS_KEY_SHIFT },
	{ MAP(codes), PROCESS_KEY_SHIFT },
	{ MAP(regions), REGION_KEY_SHIFT },
	{ MAP(whole_regions), REGION_KEY_SHIFT },
	{ MAP(mappings), 0 },
#undef MAP
};

/* What dead processes held makes room again, in maps that the living share: a server
 * that forks for years must not fill them. What they held stays in the counts. */
static void sweep_dead(struct source *source)
{
	size_t id, n = process_count(source), i;
	bool dead[MAX_PROCESSES] = { false }, any = false;
	double begin = now(CLOCK_MONOTONIC);

	if (begin < source->next_sweep)
		return;
	for (id = 1; id < n; id++) {
		if (source->swept[id] || !source->books[id].pid ||
		    source->books[id].state == PROCESS_RUNNING)
			continue;
		source->swept[id] = dead[id] = any = true;
	}
	for (i = 0; any && i < sizeof(swept) / sizeof(swept[0]); i++)
		map__sweep(*(struct bpf_map **)((char *)source->bpf + swept[i].map), swept[i].shift,
			   dead);
	/* Where there is much to go through, it is done less often. */
	source->next_sweep = begin + SWEEP_SECONDS + SWEEP_REST * (now(CLOCK_MONOTONIC) - begin);
}

static int heap_poll(struct source *source, int timeout_ms)
{
	int err = ring_buffer__poll(source->ring, timeout_ms);

	keep_children(source);
	sweep_dead(source);
	return err < 0 ? err : 0;
}

/* Field by field, in their order: what is freed was allocated before. */
static void copy_count(struct site_count *to, const struct site_count *count)
{
	const volatile struct site_count *from = count;

	to->freed_bytes = from->freed_bytes;
	to->freed_count = from->freed_count;
	to->unmapped_bytes = from->unmapped_bytes;
	to->unmapped_count = from->unmapped_count;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to->allocated_bytes = from->allocated_bytes;
	to->allocated_count = from->allocated_count;
	to->mapped_bytes = from->mapped_bytes;
	to->mapped_count = from->mapped_count;
}

/* Counts first, then the ring: so each site that has counts has its stack. */
static int heap_snapshot(struct source *source, struct snapshot **result)
{
	size_t nprocesses = process_count(source);
	size_t nsites = *(volatile __u32 *)&source->bpf->data->next_site;
	struct snapshot *snapshot;
	size_t i;
	int err;

	if (nsites > source->options.max_sites)
		nsites = source->options.max_sites;
	snapshot = snapshot__new(nprocesses, nsites);
	if (!snapshot)
		return -ENOMEM;
	snapshot->seconds = now(CLOCK_MONOTONIC) - source->attached;
	for (i = 0; i < nsites; i++)
		copy_count(&snapshot->sites[i], &source->counts[i]);
	memcpy(snapshot->processes, source->books, nprocesses * sizeof(*snapshot->processes));
	snapshot->map_bytes = maps__memory(source->bpf->obj);
	err = ring_buffer__consume(source->ring);
	if (err < 0) {
		snapshot__free(snapshot);
		return err;
	}
	*result = snapshot;
	return 0;
}

static const struct process_book *heap_processes(const struct source *source, size_t *n)
{
	*n = process_count(source);
	return source->books;
}

const struct source_type heap_source = {
	.name = "heap",
	.help = "heap blocks, by the line that allocated them, until they are freed",
	.explain = probe_points__explain,
	.open = heap_open,
	.attach = heap_attach,
	.poll = heap_poll,
	.processes = heap_processes,
	.snapshot = heap_snapshot,
	.close = heap_close,
};
