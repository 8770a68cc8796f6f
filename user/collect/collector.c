// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "collect/atomics.h"
#include "collect/bpf_maps.h"
#include "collect/collector.h"
#include "collect/counters.h"
#include "collect/kept.h"
#include "probes/attach.h"

/* Of bpf/lifecycle.bpf.h. */
static const char *const lifecycle[] = {"pymemtop_fork", "pymemtop_refork", "pymemtop_exec",
					"pymemtop_exit"};

#define LIFECYCLE (sizeof(lifecycle) / sizeof(lifecycle[0]))

void collector_options__init(struct collector_options *options)
{
	*options = (struct collector_options){
		.max_frames = DEFAULT_FRAMES,
		.max_sites = 65536,
		.sample = 1,
		.follow = true,
	};
}

/* Each watched thread takes one descriptor per probe. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	rlim_t hard;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	hard = limit.rlim_max;
	if (limit.rlim_max < 1 << 20)
		limit.rlim_max = 1 << 20;
	limit.rlim_cur = limit.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return;
	/* Without CAP_SYS_RESOURCE: what is allowed. */
	limit.rlim_cur = limit.rlim_max = hard;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_detail("the limit on open files stays: %s", strerror(errno));
}

/* Runs the program that finds where each CPU's part of a counter is. 0 or -errno. */
static int measure_cpus(const struct bpf_object *object)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd = bpf_program__fd(bpf_object__find_program_by_name(object, "pymemtop_cpus"));

	return fd < 0 ? 0 : bpf_prog_test_run_opts(fd, &options);
}

static int load(struct collector *collector)
{
	int err = atomics__leave_out();

	if (!err)
		err = collector->type->load(collector);
	if (!err)
		err = measure_cpus(collector->object);
	if (err)
		log_error(
			"the BPF programs cannot be loaded: %s; `pymemtop doctor` tells what works here, and "
			"--verbose shows the kernel's log",
			strerror(-err));
	return err;
}

int collector__open(const struct collector_type *type, const char *name,
		    const struct collector_options *options, struct collector **result)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	struct probe_spec spec = type->probes;
	int err;

	if (!collector)
		return -ENOMEM;
	collector->type = type;
	collector->options = *options;
	collector->options.peak &= type->has_peak;
	collector->most_sites = options->max_sites;
	raise_file_limit();
	err = type->check ? type->check() : 0;
	if (!err)
		err = load(collector);
	if (!err) {
		spec.at_entry = options->at_entry;
		/* Whether a block still lives can be told of libc's only. */
		spec.privates = spec.allocators && !options->pauses;
		collector->attacher =
			attacher__new(collector->object, name, &spec, options->follow);
		collector->links = calloc(LIFECYCLE, sizeof(struct bpf_link *));
		if (!collector->attacher || !collector->links)
			err = -ENOMEM;
	}
	if (err) {
		collector__close(collector);
		return err;
	}
	*result = collector;
	return 0;
}

int collector__attach(const struct attachable *programs, size_t n, const char *what)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		if (!bpf_program__autoload(programs[i].program))
			continue;
		*programs[i].link = bpf_program__attach(programs[i].program);
		err = *programs[i].link ? 0 : -errno;
	}
	if (err)
		log_error("%s cannot be seen: %s", what, strerror(-err));
	return err;
}

void collector__close(struct collector *collector)
{
	size_t i;

	if (!collector)
		return;
	attacher__free(collector->attacher);
	for (i = 0; collector->links && i < LIFECYCLE; i++)
		bpf_link__destroy(collector->links[i]);
	free(collector->links);
	if (collector->sites)
		munmap(collector->sites, collector->most_sites * sizeof(*collector->sites));
	if (collector->peaks)
		munmap(collector->peaks, collector->most_sites * sizeof(*collector->peaks));
	collector->type->unload(collector);
	kept__free(collector->kept);
	free(collector);
}

static int attach_lifecycle(struct collector *collector)
{
	struct bpf_program *program;
	struct bpf_link *link;
	size_t i;
	int err;

	for (i = 0; i < LIFECYCLE; i++) {
		program = bpf_object__find_program_by_name(collector->object, lifecycle[i]);
		link = bpf_program__attach(program);
		if (!link) {
			err = -errno;
			log_error("the scheduler's tracepoints cannot be attached: %s",
				  strerror(-err));
			return err;
		}
		collector->links[i] = link;
	}
	return 0;
}

int collector__begin(struct collector *collector, struct counters *counters)
{
	int err = map__mmap(collector->object, "site_counters",
			    collector->most_sites * sizeof(*collector->sites),
			    (void **)&collector->sites);

	if (!err && collector->options.peak)
		err = map__mmap(collector->object, "site_peaks",
				collector->most_sites * sizeof(*collector->peaks),
				(void **)&collector->peaks);
	if (err) {
		log_error("the BPF programs' counters cannot be read: %s", strerror(-err));
		return err;
	}
	collector->counters = counters;
	if (collector->options.pauses && collector->type->probes.allocators) {
		collector->kept = kept__new(collector->most_sites, collector->options.min_age);
		if (!collector->kept)
			return -ENOMEM;
	}
	err = attach_lifecycle(collector);
	return !err && collector->type->attach ? collector->type->attach(collector) : err;
}

/* Slots that do not live count as freed. */
static void add_pools(const struct collector *collector, __u32 site, struct site_counters *to)
{
	const volatile struct pool_counters *taken = &collector->pools_taken[site];
	const struct pool_counters *live = &collector->pools_live[site];
	struct pool_counters now = {.bytes = taken->bytes, .count = taken->count};

	to->allocated_bytes += now.bytes;
	to->allocated_count += now.count;
	to->freed_bytes += now.bytes - live->bytes;
	to->freed_count += now.count - live->count;
}

/* Arenas belong to no line. One that was counted at the last look may be gone since. */
static void move_arenas(const struct collector *collector, __u32 site, struct site_counters *to)
{
	struct pool_counters arenas = collector->arenas[site];

	if (collector->arenas_are_pages) {
		if (arenas.bytes > to->allocated_bytes - to->freed_bytes)
			return;
		to->allocated_bytes -= arenas.bytes;
		to->allocated_count -= arenas.bytes >> PAGE_SHIFT;
	} else {
		if (arenas.bytes > to->mapped_bytes - to->unmapped_bytes)
			return;
		to->mapped_bytes -= arenas.bytes;
		to->mapped_count -= arenas.count;
	}
	to->arena_bytes = arenas.bytes;
}

/* Field by field, in this order: what is freed was allocated before. */
static struct site_counters read_site(const struct collector *collector, __u32 site)
{
	const volatile struct site_counters *from = &collector->sites[site];
	struct site_counters to;

	to.freed_bytes = from->freed_bytes;
	to.freed_count = from->freed_count;
	to.unmapped_bytes = from->unmapped_bytes;
	to.unmapped_count = from->unmapped_count;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	to.allocated_bytes = from->allocated_bytes;
	to.allocated_count = from->allocated_count;
	to.mapped_bytes = from->mapped_bytes;
	to.mapped_count = from->mapped_count;
	to.arena_bytes = 0;
	return to;
}

/* What was not there at the peak counts as freed. A site that has not changed since is as it was.
 */
static void go_back_to_peak(const struct collector *collector, __u32 site, struct site_counters *to)
{
	const struct site_peak peak = *(const volatile struct site_peak *)&collector->peaks[site];
	const struct process_counters *processes;
	size_t n;

	processes = counters__processes(collector->counters, &n);
	if (!peak.epoch || peak.process >= n || peak.epoch != processes[peak.process].peaks + 1)
		return;
	to->freed_bytes = to->allocated_bytes - peak.bytes;
	to->freed_count = to->allocated_count - peak.count;
	to->unmapped_bytes = to->mapped_bytes - peak.mapped_bytes;
	to->unmapped_count = to->mapped_count - peak.mapped_count;
}

struct site_counters collector__site(const struct collector *collector, __u32 site)
{
	struct site_counters to;

	if (collector->kept)
		return kept__site(collector->kept, site);
	to = read_site(collector, site);
	if (collector->peaks)
		go_back_to_peak(collector, site, &to);
	if (collector->pools_taken)
		add_pools(collector, site, &to);
	if (collector->arenas)
		move_arenas(collector, site, &to);
	return to;
}

bool collector__site_is_empty(const struct collector *collector, __u32 site)
{
	struct site_counters of = collector__site(collector, site), now = of;

	/* What it holds now may be there at a later peak. */
	if (collector->peaks)
		now = read_site(collector, site);
	return of.allocated_bytes == of.freed_bytes && of.allocated_count == of.freed_count &&
	       of.mapped_bytes == of.unmapped_bytes && of.mapped_count == of.unmapped_count &&
	       !of.arena_bytes && now.allocated_bytes == now.freed_bytes &&
	       now.mapped_bytes == now.unmapped_bytes;
}

void collector__allocated(const struct collector *collector, __u32 site, uint64_t *bytes,
			  uint64_t *count)
{
	const volatile struct site_counters *heap = &collector->sites[site];
	const volatile struct pool_counters *pools = collector->pools_taken;

	*bytes = heap->allocated_bytes + (pools ? pools[site].bytes : 0);
	*count = heap->allocated_count + (pools ? pools[site].count : 0);
}

bool collector__is_settled(const struct collector *collector, __u32 site)
{
	uint64_t bytes, count;

	if (collector->kept) {
		collector__allocated(collector, site, &bytes, &count);
		return kept__is_settled(collector->kept, site, count);
	}
	return !collector->pools_taken || *(volatile __u64 *)&collector->pools_taken[site].count ==
						  collector->pools_looked[site].count;
}

void collector__clear_site(struct collector *collector, __u32 site)
{
	memset(&collector->sites[site], 0, sizeof(collector->sites[site]));
	if (collector->peaks)
		memset(&collector->peaks[site], 0, sizeof(collector->peaks[site]));
	if (collector->kept)
		kept__clear_site(collector->kept, site);
	if (collector->arenas)
		collector->arenas[site] = (struct pool_counters){0};
	if (!collector->pools_taken)
		return;
	memset(&collector->pools_taken[site], 0, sizeof(collector->pools_taken[site]));
	memset(&collector->pools_live[site], 0, sizeof(collector->pools_live[site]));
	memset(&collector->pools_looked[site], 0, sizeof(collector->pools_looked[site]));
}

/* How often the kernel skipped a program because another run of it was preempted on the same CPU
 * (prog->active in kernel/bpf/trampoline.c and kernel/trace/bpf_trace.c; counted since 5.12). */
static __u64 skips_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	if (info.recursion_misses)
		log_detail("the kernel skipped %s %" PRIu64 " times", bpf_program__name(program),
			   (uint64_t)info.recursion_misses);
	return info.recursion_misses;
}

/*
 * Of all programs. It is not known whose event that was. A missed exit loses nothing:
 * processes__keep_up() looks for it; nor does a fork that only one of its two programs missed.
 */
static __u64 skipped_runs(const struct bpf_object *object)
{
	struct bpf_program *program;
	__u64 runs = 0, forks = 0, reforks = 0, skips;
	const char *name;

	bpf_object__for_each_program (program, object) {
		name = bpf_program__name(program);
		skips = skips_of(program);
		if (!strcmp(name, "pymemtop_fork"))
			forks = skips;
		else if (!strcmp(name, "pymemtop_refork"))
			reforks = skips;
		else if (strcmp(name, "pymemtop_exit") != 0)
			runs += skips;
	}
	return runs + (forks < reforks ? forks : reforks);
}

/* Reads the counters first, then the ring, so that each site with counts has its stack. */
int collector__read(struct collector *collector, struct snapshot **result)
{
	size_t nsites = counters__next_site(collector->counters), n, i;
	const struct process_counters *processes = counters__processes(collector->counters, &n);
	struct snapshot *snapshot = snapshot__new(n, nsites);
	__u64 skipped;
	int err;

	if (!snapshot)
		return -ENOMEM;
	snapshot->seconds = clock_seconds(CLOCK_MONOTONIC) - collector->begin;
	for (i = 0; i < nsites; i++)
		snapshot->sites[i] = collector__site(collector, i);
	memcpy(snapshot->processes, processes, n * sizeof(*snapshot->processes));
	skipped = skipped_runs(collector->object);
	for (i = 1; i < n; i++)
		snapshot->processes[i].lost[LOST_RUN] = skipped;
	snapshot->map_bytes = maps__memory(collector->object);
	err = counters__drain(collector->counters);
	if (!err && collector->kept)
		err = kept__take_types(collector->kept, snapshot);
	if (err) {
		snapshot__free(snapshot);
		return err;
	}
	*result = snapshot;
	return 0;
}

int collector__keep_up(struct collector *collector)
{
	size_t n;

	if (collector->kept)
		return kept__look(collector->kept, counters__processes(collector->counters, &n));
	return collector->type->keep_up ? collector->type->keep_up(collector) : 0;
}

void collector__meet(struct collector *collector, __u32 id, pid_t pid, const struct target *target)
{
	if (collector->kept)
		kept__meet(collector->kept, id,
			   collector->type->probes.pools ? target->pool_size : 0);
	if (collector->type->meet)
		collector->type->meet(collector, id, pid, target);
}

void collector__forget(struct collector *collector, __u32 id)
{
	if (collector->kept)
		kept__forget(collector->kept, id);
	if (collector->type->forget)
		collector->type->forget(collector, id);
}

int collector__snapshot(struct collector *collector, struct snapshot **snapshot)
{
	/* What windows saw needs no looks at the processes now. */
	if (collector->kept)
		return collector__read(collector, snapshot);
	return collector->type->snapshot ? collector->type->snapshot(collector, snapshot)
					 : collector__read(collector, snapshot);
}
