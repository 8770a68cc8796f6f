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

#include "heap.h"
#include "heap.skel.h"
#include "placement.h"
#include "say.h"
#include "system.h"

/* A function of the allocator: which program its entry gets, by the shape of its
 * arguments, and whether its result is needed. */
static const struct function {
	const char *name;
	const char *program;
	bool returns;
} functions[] = {
	{ "malloc", "allocate", true },
	{ "valloc", "allocate", true },
	{ "pvalloc", "allocate", true },
	{ "calloc", "allocate_counted", true },
	{ "memalign", "allocate_aligned", true },
	{ "aligned_alloc", "allocate_aligned", true },
	{ "posix_memalign", "allocate_posix", true },
	{ "realloc", "reallocate", true },
	{ "reallocarray", "reallocate_counted", true },
	{ "free", "release", false },
	{ "cfree", "release", false },
	{ "mmap", "map", true },
	{ "mmap64", "map", true },
	{ "munmap", "unmap", true },
	{ "mremap", "remap", true },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static const char *const marker_programs[MARKERS] = {
	[MARKER_ENTRY] = "marker_entry",
	[MARKER_RETURN] = "marker_return",
	[MARKER_LINE] = "marker_line",
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
	if (!err)
		err = bpf_program__set_autoload(bpf->progs.marker_entry, markers);
	if (!err)
		err = bpf_program__set_autoload(bpf->progs.marker_return, markers);
	if (!err)
		err = bpf_program__set_autoload(bpf->progs.marker_line, markers);
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

static int fill_layouts(struct heap_bpf *bpf)
{
	const struct cpython *python;
	__u32 i;
	int err;

	for (i = 0; (python = cpython__get(i)); i++) {
		err = bpf_map_update_elem(bpf_map__fd(bpf->maps.layouts), &i, &python->layout,
					  BPF_ANY);
		if (err)
			return err;
	}
	return 0;
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
	bpf->rodata->max_frames = source->options.max_frames;
	bpf->rodata->max_sites = source->options.max_sites;
	bpf->rodata->follow_children = source->options.follow;
	err = size_maps(bpf, &source->options, &features);
	if (!err)
		err = select_features(bpf, &source->options, &features);
	if (!err)
		err = heap_bpf__load(bpf);
	if (!err)
		err = fill_layouts(bpf);
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

static int add_function(struct source *source, const struct elf_file *elf,
			const struct function *function, const struct elf_symbol *symbol)
{
	int fd = elf_file__fd(elf), err;
	uint64_t offset;

	if (!symbol->function ||
	    !elf_file__code_offset(elf, placement__of_entry(elf, symbol->address), &offset))
		return 0;
	err = probes__add(source->probes, function->program, false, fd, offset, 0);
	if (!err && function->returns)
		err = probes__add(source->probes, "call_return", true, fd, offset, 0);
	return err;
}

static int add_allocator(struct source *source, const struct elf_file *elf)
{
	struct elf_symbol symbols[FUNCTIONS];
	const char *names[FUNCTIONS];
	size_t i;
	int err;

	for (i = 0; i < FUNCTIONS; i++)
		names[i] = functions[i].name;
	elf_file__dynamic_symbols(elf, names, FUNCTIONS, symbols);
	for (i = 0; i < FUNCTIONS; i++) {
		err = add_function(source, elf, &functions[i], &symbols[i]);
		if (err)
			return err;
	}
	return 0;
}

static int add_markers(struct source *source, const struct target *target, __u32 image)
{
	int fd = elf_file__fd(target->python), err, i;
	const struct target_marker *marker;
	size_t k;

	for (i = 0; i < MARKERS; i++) {
		for (k = 0; k < target->nmarkers[i]; k++) {
			struct marker_key key = { .image = image };

			marker = &target->markers[i][k];
			key.ip = marker->ip;
			err = bpf_map_update_elem(bpf_map__fd(source->bpf->maps.marker_sites), &key,
						  &marker->site, BPF_ANY);
			if (!err)
				err = probes__add(source->probes, marker_programs[i], false, fd,
						  marker->offset, marker->semaphore);
			if (err)
				return err;
		}
	}
	return 0;
}

static int add_probes(struct source *source, const struct target *target, __u32 image)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < target->nallocators; i++)
		err = add_allocator(source, target->allocators[i]);
	if (err)
		return err;
	if (target->attribution == ATTRIBUTION_USDT)
		return add_markers(source, target, image);
	return probes__add(source->probes, "code_freed", false, elf_file__fd(target->python),
			   target->code_dealloc, 0);
}

static int attach_programs(struct source *source, pid_t pid)
{
	struct bpf_program *program;
	const char *type;
	int err = 0;

	bpf_object__for_each_program(program, source->bpf->obj) {
		type = bpf_program__section_name(program);
		if (!err && (!strcmp(type, "uprobe") || !strcmp(type, "uretprobe")))
			err = probes__attach(source->probes, bpf_program__name(program), program,
					     pid);
	}
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
	struct process process = {
		.id = id,
		.image = id,
		.layout = target->cpython ? cpython__index(target->cpython) : 0,
		.attribution = target->attribution,
		.runtime = target->runtime,
		.attached_ns = target->fresh ? 0 : now(CLOCK_BOOTTIME) * 1e9,
	};
	__u32 tgid = target->pid;

	return bpf_map_update_elem(bpf_map__fd(source->bpf->maps.processes), &tgid, &process,
				   BPF_ANY);
}

static int heap_attach(struct source *source, struct target *const *targets, size_t n)
{
	int err = attach_lifecycle(source->bpf);
	size_t i;

	source->bpf->data->next_process = source->kept = n + 1;
	for (i = 0; !err && i < n; i++) {
		err = add_probes(source, targets[i], i + 1);
		if (!err)
			err = write_book(source, targets[i], i + 1);
	}
	if (!err)
		err = attach_programs(source, targets[0]->pid);
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

static int heap_poll(struct source *source, int timeout_ms)
{
	int err = ring_buffer__poll(source->ring, timeout_ms);

	keep_children(source);
	return err < 0 ? err : 0;
}

/* Counts first, then the ring: so each site that has counts has its stack. */
static int heap_snapshot(struct source *source, struct snapshot **result)
{
	size_t nprocesses = process_count(source);
	size_t nsites = *(volatile __u32 *)&source->bpf->data->next_site;
	struct snapshot *snapshot;
	int err;

	if (nsites > source->options.max_sites)
		nsites = source->options.max_sites;
	snapshot = snapshot__new(nprocesses, nsites);
	if (!snapshot)
		return -ENOMEM;
	snapshot->seconds = now(CLOCK_MONOTONIC) - source->attached;
	memcpy(snapshot->sites, source->counts, nsites * sizeof(*snapshot->sites));
	memcpy(snapshot->processes, source->books, nprocesses * sizeof(*snapshot->processes));
	err = ring_buffer__consume(source->ring);
	if (err < 0) {
		snapshot__free(snapshot);
		return err;
	}
	*result = snapshot;
	return 0;
}

const struct source_type heap_source = {
	.name = "heap",
	.help = "heap blocks, by the line that allocated them, until they are freed",
	.open = heap_open,
	.attach = heap_attach,
	.poll = heap_poll,
	.snapshot = heap_snapshot,
	.close = heap_close,
};
