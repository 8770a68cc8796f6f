// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "base/procfs.h"
#include "probes/attach.h"
#include "probes/probe_table.h"

/* Far more than libc has; each further allocator in the process has its own. */
#define MAX_PROBES 256

/* Different ones: as many as the map has (bpf/markers.bpf.h). */
#define MAX_MARKERS 256

struct attaching {
	const struct bpf_object *object;
	struct uprobe_events *probes;
	const struct probe_spec *spec;
	struct known_places *known;
	__u32 nmarkers; /* marker_sites so far */
	struct marker_site markers[MAX_MARKERS];
	struct probe_entry table[MAX_PROBES]; /* of one process */
	size_t n;
};

/* Tells the programs where a marker's arguments are, once for all targets that have them
 * in the same places. 0 or -errno. */
static int note_marker(struct attaching *probing, const struct marker_site *marker, __u8 *index)
{
	int fd = bpf_object__find_map_fd_by_name(probing->object, "marker_sites"), err;
	__u32 i;

	for (i = 0; i < probing->nmarkers; i++) {
		if (!memcmp(&probing->markers[i], marker, sizeof(*marker)))
			break;
	}
	if (i == MAX_MARKERS)
		return -E2BIG;
	if (i == probing->nmarkers) {
		err = bpf_map_update_elem(fd, &i, marker, BPF_ANY);
		if (err)
			return err;
		probing->markers[probing->nmarkers++] = *marker;
	}
	*index = i;
	return 0;
}

/* Puts one probe where it belongs, and notes how the BPF side will know it. */
static int add_probe(struct attaching *probing, const struct probe_point *point)
{
	struct probe_entry probe = {.kind = point->kind};
	int fd = elf_file__fd(point->file->elf), err;
	uint64_t offset;

	if (!elf_file__code_offset(point->file->elf, point->placement.address, &offset))
		return -ENOEXEC;
	if (probing->n == MAX_PROBES)
		return -E2BIG;
	if (!point->placement.emulated && !probing->spec->at_entry)
		log_detail(
			"%s: probed at \"%s\", which the kernel single-steps: some 35 times the cost "
			"of the others",
			point->function, point->placement.instruction);
	err = point->marker ? note_marker(probing, point->marker, &probe.marker) : 0;
	if (err)
		return err;
	probe.address = point->file->bias + point->placement.address;
	probing->table[probing->n++] = probe;
	err = uprobe_events__add(probing->probes, "pymemtop_enter", false, fd, offset,
				 point->semaphore);
	if (!err && point->returns)
		err = uprobe_events__add(probing->probes, "pymemtop_leave", true, fd, offset, 0);
	return err;
}

static int add_points(struct attaching *probing, const struct target *target)
{
	struct probe_point *points;
	size_t n, i;
	int err = probe_points__list(target, probing->spec, probing->known, &points, &n);

	if (err)
		return err;
	probing->n = 0;
	for (i = 0; !err && i < n; i++)
		err = add_probe(probing, &points[i]);
	free(points);
	return err;
}

/* Defines a target's probes, and tells the BPF side how to know them. */
static int prepare(struct attaching *probing, const struct target *target, __u32 index)
{
	int fd = bpf_object__find_map_fd_by_name(probing->object, "probe_tables");
	struct probe_table table;
	int err = add_points(probing, target);

	if (!err)
		err = probe_table__make(probing->table, probing->n, &table);
	if (!err)
		err = bpf_map_update_elem(fd, &index, &table, BPF_ANY);
	if (err)
		log_error("process %d cannot be probed: %s", target->pid, strerror(-err));
	return err;
}

int probes__attach(const struct bpf_object *object, struct uprobe_events *probes,
		   struct target *const *targets, size_t n, const struct probe_spec *spec,
		   bool follow)
{
	struct attaching probing = {.object = object,
				    .probes = probes,
				    .spec = spec,
				    .known = known_places__new()};
	/* Returns first: what is entered is then seen to leave. */
	const char *const programs[] = {"pymemtop_leave", "pymemtop_enter"};
	struct bpf_program *program;
	size_t i, living;
	int err = probing.known ? 0 : -ENOMEM;

	for (i = 0; !err && i < n; i++)
		err = prepare(&probing, targets[i], i);
	known_places__free(probing.known);
	for (i = 0; !err && i < sizeof(programs) / sizeof(programs[0]); i++) {
		program = bpf_object__find_program_by_name(object, programs[i]);
		/* Of many, some may have ended by now. */
		for (living = 0; living + 1 < n && !proc_exists(targets[living]->pid); living++)
			;
		if (program)
			err = uprobe_events__attach(probes, programs[i], program,
						    targets[living]->pid);
	}
	for (i = 0; !err && i < n; i++) {
		if (n == 1 || proc_exists(targets[i]->pid))
			err = uprobe_events__watch(probes, targets[i]->pid, follow);
	}
	return err;
}
