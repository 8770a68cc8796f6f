// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/procfs.h"
#include "probes/attach.h"
#include "probes/probe_table.h"
#include "probes/uprobe_events.h"

/* Far more than libc needs; each further allocator in the process adds its own. */
#define MAX_PROBES 256

/*
 * Places that are probed together. The kernel inserts no breakpoints for a place added to an event
 * in use (probe_event_enable() in kernel/trace/trace_uprobe.c), so new files get events of their
 * own.
 */
struct batch {
	struct uprobe_events *events;
	size_t images; /* that use it */
};

/* More libraries with allocators of their own than these are not followed. */
#define MOST_BATCHES 8

/* An image's probes: those of its start, and of what it has loaded since. */
struct probed_image {
	struct batch *batches[MOST_BATCHES];
	size_t nbatches;
	size_t npoints; /* defined so far, of those that are listed */
};

struct attacher {
	const struct bpf_object *object;
	const char *name;
	struct probe_spec spec;
	bool follow;
	struct keeper *keeper;
	bool pauses;
	struct known_places *known;
	__u32 nmarkers; /* marker_sites in use */
	struct marker_site markers[MAX_MARKERS];
	struct batch **batches;
	size_t nbatches;
	unsigned int next_name;
	struct probed_image images[MAX_IMAGES];
};

/* Programs, and the probes that they attach to. Returns come first, so that a call whose entry is
 * seen is also seen to return. */
static const struct {
	const char *name;
	bool of_returns, of_pools;
} programs[] = {
	{"pymemtop_leave", .of_returns = true},
	{"pymemtop_enter", .of_pools = false},
	{"pymemtop_object", .of_pools = true},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct attacher *attacher__new(const struct bpf_object *object, const char *name,
			       const struct probe_spec *spec, bool follow)
{
	struct attacher *attacher = calloc(1, sizeof(*attacher));

	if (!attacher)
		return NULL;
	attacher->object = object;
	attacher->name = name;
	attacher->spec = *spec;
	attacher->follow = follow;
	attacher->known = known_places__new();
	if (!attacher->known) {
		free(attacher);
		return NULL;
	}
	return attacher;
}

void attacher__set_keeper(struct attacher *attacher, struct keeper *keeper)
{
	attacher->keeper = keeper;
}

static void free_batch(struct batch *batch)
{
	uprobe_events__free(batch->events);
	free(batch);
}

void attacher__free(struct attacher *attacher)
{
	size_t i;

	if (!attacher)
		return;
	for (i = 0; i < attacher->nbatches; i++)
		free_batch(attacher->batches[i]);
	free(attacher->batches);
	known_places__free(attacher->known);
	free(attacher);
}

/* Tells the programs where a marker's arguments are, once for all targets with the same places. 0
 * or -errno. */
static int note_marker(struct attacher *attacher, const struct marker_site *marker, __u8 *index)
{
	int fd = bpf_object__find_map_fd_by_name(attacher->object, "marker_sites"), err;
	__u32 i;

	for (i = 0; i < attacher->nmarkers; i++) {
		if (!memcmp(&attacher->markers[i], marker, sizeof(*marker)))
			break;
	}
	if (i == MAX_MARKERS)
		return -E2BIG;
	if (i == attacher->nmarkers) {
		err = bpf_map_update_elem(fd, &i, marker, BPF_ANY);
		if (err)
			return err;
		attacher->markers[attacher->nmarkers++] = *marker;
	}
	*index = i;
	return 0;
}

/* A point's offset in its file. 0 or -ENOEXEC. */
static int offset_of(const struct probe_point *point, uint64_t *offset)
{
	return elf_file__code_offset(point->file->elf, point->placement.address, offset) ? 0
											 : -ENOEXEC;
}

/* Makes the half of the table that is not in use, and then has it used. */
static int use_slots(int fd, __u32 image, const struct probe_slots *slots)
{
	auto_free struct probe_table *table = calloc(1, sizeof(*table));
	int err;

	if (!table)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &image, table);
	if (err)
		return err;
	table->of[!table->current] = *slots;
	err = bpf_map_update_elem(fd, &image, table, BPF_ANY);
	if (err)
		return err;
	table->current = !table->current;
	return bpf_map_update_elem(fd, &image, table, BPF_ANY);
}

/* Tells the BPF side how to identify a target's probes. 0 or -errno. */
static int make_table(struct attacher *attacher, __u32 image, const struct probe_point *points,
		      size_t n)
{
	int fd = bpf_object__find_map_fd_by_name(attacher->object, "probe_tables"), err = 0;
	struct probe_entry entries[MAX_PROBES];
	struct probe_slots slots;
	size_t i, nentries = 0;

	for (i = 0; !err && i < n; i++) {
		if (points[i].kind == PROBE_POOL)
			continue;
		if (nentries == MAX_PROBES)
			return -E2BIG;
		entries[nentries] = (struct probe_entry){
			.address = points[i].file->bias + points[i].placement.address,
			.kind = points[i].kind,
		};
		if (points[i].marker)
			err = note_marker(attacher, points[i].marker, &entries[nentries].marker);
		nentries++;
	}
	if (!err)
		err = probe_table__make(entries, nentries, &slots);
	return err ? err : use_slots(fd, image, &slots);
}

/* The same for the places where pymalloc hands out slots. */
static int make_pool_table(struct attacher *attacher, __u32 image, uint32_t pool_size,
			   const struct probe_point *points, size_t n)
{
	int fd = bpf_object__find_map_fd_by_name(attacher->object, "pool_tables"), err;
	auto_free struct pool_table *table = calloc(1, sizeof(*table));
	auto_free struct pool_entry *entries = calloc(n, sizeof(*entries));
	size_t i, nentries = 0;

	if (!table || !entries)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct pymalloc_site *site = &points[i].pymalloc;

		if (points[i].kind != PROBE_POOL)
			continue;
		entries[nentries++] = (struct pool_entry){
			.address = points[i].file->bias + points[i].placement.address,
			.place = POOL_PLACE(site->pool, site->size, site->step),
		};
	}
	table->pool_size = pool_size;
	err = pool_table__make(entries, nentries, table);
	return err ? err : bpf_map_update_elem(fd, &image, table, BPF_ANY);
}

static bool wants(const struct probe_point *point, size_t program)
{
	return programs[program].of_pools == (point->kind == PROBE_POOL) &&
	       (point->returns || !programs[program].of_returns);
}

static int add_point(struct attacher *attacher, struct batch *batch,
		     const struct probe_point *point)
{
	int fd = elf_file__fd(point->file->elf), err;
	uint64_t offset;
	size_t k;

	if (!point->placement.emulated && !attacher->spec.at_entry)
		log_detail(
			"%s: probed at \"%s\", which the kernel single-steps: some 35 times the cost "
			"of the others",
			point->function, point->placement.instruction);
	err = offset_of(point, &offset);
	for (k = 0; !err && k < PROGRAMS; k++) {
		if (wants(point, k))
			err = uprobe_events__add(batch->events, programs[k].name,
						 programs[k].of_returns, fd, offset,
						 programs[k].of_returns ? 0 : point->semaphore);
	}
	return err;
}

static bool has_point(const struct batch *batch, const struct probe_point *point)
{
	uint64_t offset;
	size_t k;

	if (offset_of(point, &offset))
		return false;
	for (k = 0; k < PROGRAMS; k++) {
		if (wants(point, k) && !uprobe_events__has(batch->events, programs[k].name,
							   elf_file__fd(point->file->elf), offset))
			return false;
	}
	return true;
}

/* Finds a batch that has all of the points; NULL if there is none. */
static struct batch *find_batch(const struct attacher *attacher, const struct probe_point *points,
				size_t n)
{
	size_t b, i;

	for (b = 0; b < attacher->nbatches; b++) {
		for (i = 0; i < n && has_point(attacher->batches[b], &points[i]); i++)
			;
		if (i == n)
			return attacher->batches[b];
	}
	return NULL;
}

static int new_batch(struct attacher *attacher, struct batch **result)
{
	struct batch **more =
		reallocarray(attacher->batches, attacher->nbatches + 1, sizeof(*more));
	struct batch *batch;
	char name[32];
	int err;

	if (!more)
		return -ENOMEM;
	attacher->batches = more;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	snprintf(name, sizeof(name), "%s_%u", attacher->name, attacher->next_name++);
	err = uprobe_events__new(name, attacher->keeper, &batch->events);
	if (err) {
		free(batch);
		return err;
	}
	attacher->batches[attacher->nbatches++] = batch;
	*result = batch;
	return 0;
}

static void drop_batch(struct attacher *attacher, struct batch *batch)
{
	size_t i = 0;

	while (attacher->batches[i] != batch)
		i++;
	attacher->batches[i] = attacher->batches[--attacher->nbatches];
	free_batch(batch);
}

/* Defines those of an image's probes that are not yet, in a batch that has them all, else in the
 * new one (*made, NULL if there is none yet). */
static int define(struct attacher *attacher, const struct attach_point *point, struct batch **made)
{
	struct probed_image *image = &attacher->images[point->image];
	auto_free struct probe_point *points = NULL;
	struct batch *batch;
	size_t n, i;
	int err = probe_points__list(point->target, &attacher->spec, attacher->known, &points, &n);

	if (!err && image->nbatches == MOST_BATCHES)
		err = -E2BIG;
	if (err || n == image->npoints)
		return err;
	err = make_table(attacher, point->image, points, n);
	if (!err && attacher->spec.pools)
		err = make_pool_table(attacher, point->image, point->target->pool_size, points, n);
	batch = err ? NULL : find_batch(attacher, points + image->npoints, n - image->npoints);
	if (!err && !batch) {
		err = *made ? 0 : new_batch(attacher, made);
		batch = *made;
		for (i = image->npoints; !err && i < n; i++)
			err = add_point(attacher, batch, &points[i]);
	}
	if (err)
		return err;
	image->batches[image->nbatches++] = batch;
	image->npoints = n;
	batch->images++;
	return 0;
}

static int hang_programs(const struct attacher *attacher, struct batch *batch, pid_t pid)
{
	struct bpf_program *program;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < PROGRAMS; i++) {
		program = bpf_object__find_program_by_name(attacher->object, programs[i].name);
		if (program)
			err = uprobe_events__attach(batch->events, programs[i].name, program, pid);
	}
	return err;
}

/* If there are many, some may have ended by now. */
static pid_t living(const struct attach_point *points, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n && !proc_exists(points[i].target->pid); i++)
		;
	return points[i].target->pid;
}

int attacher__define(struct attacher *attacher, const struct attach_point *points, size_t n,
		     pid_t pid)
{
	struct batch *made = NULL;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		err = define(attacher, &points[i], &made);
		if (err)
			log_error("process %d cannot be probed: %s", points[i].target->pid,
				  strerror(-err));
	}
	/* The programs' own event must not keep a target's breakpoints. */
	if (!err && made)
		err = hang_programs(attacher, made, attacher->pauses ? getpid() : pid);
	for (i = 0; err && i < n; i++)
		attacher__forget(attacher, points[i].image);
	return err;
}

int attacher__add(struct attacher *attacher, const struct attach_point *points, size_t n)
{
	size_t i;
	int err = n ? attacher__define(attacher, points, n, living(points, n)) : 0;

	for (i = 0; !err && i < n; i++) {
		if (n > 1 && !proc_exists(points[i].target->pid))
			continue;
		err = attacher__watch(attacher, points[i].target->pid, points[i].process,
				      points[i].image);
		if (err && n > 1 && !proc_exists(points[i].target->pid))
			err = 0; /* it has ended */
	}
	return err;
}

int attacher__watch(struct attacher *attacher, pid_t pid, __u32 process, __u32 image)
{
	const struct probed_image *probed = &attacher->images[image];
	size_t i;
	int err = 0;

	for (i = 0; !err && i < probed->nbatches; i++)
		err = uprobe_events__watch(probed->batches[i]->events, pid, process, image,
					   attacher->follow);
	return err;
}

int attacher__define_more(struct attacher *attacher, const struct attach_point *point, pid_t pid)
{
	struct probed_image *image = &attacher->images[point->image];
	struct batch *made = NULL;
	int err = define(attacher, point, &made);

	if (!err && made)
		err = hang_programs(attacher, made, pid);
	if (!err)
		return 0;
	if (made && image->nbatches && image->batches[image->nbatches - 1] == made)
		image->nbatches--;
	if (made)
		drop_batch(attacher, made);
	log_error("process %d has loaded an allocator that cannot be probed: %s", pid,
		  strerror(-err));
	return err;
}

int attacher__watch_last(struct attacher *attacher, pid_t pid, __u32 process, __u32 image)
{
	const struct probed_image *probed = &attacher->images[image];

	return uprobe_events__watch(probed->batches[probed->nbatches - 1]->events, pid, process,
				    image, attacher->follow);
}

void attacher__will_pause(struct attacher *attacher)
{
	attacher->pauses = true;
}

void attacher__pause(struct attacher *attacher)
{
	size_t i;

	for (i = 0; i < attacher->nbatches; i++)
		uprobe_events__pause(attacher->batches[i]->events);
}

void attacher__forget(struct attacher *attacher, __u32 image)
{
	struct probed_image *probed = &attacher->images[image];
	struct batch *batch;
	size_t i;

	for (i = 0; i < probed->nbatches; i++) {
		batch = probed->batches[i];
		if (--batch->images)
			uprobe_events__forget(batch->events, image);
		else
			drop_batch(attacher, batch);
	}
	*probed = (struct probed_image){0};
}
