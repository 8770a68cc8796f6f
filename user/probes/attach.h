/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts a mode's probes on targets that come and go, and tells the programs how to know each by
 * its address (struct probe_table).
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "probes/probe_points.h"

/* A process's place in the array probe_tables, which its children share. */
struct attach_point {
	const struct target *target;
	__u32 image;
};

struct attacher;

/*
 * For the programs of an object: "pymemtop_enter" at the points that are wanted, and
 * "pymemtop_leave" at the returns that they want. name tells the attachers of one pymemtop
 * apart. What it is given outlives it. NULL where memory is short.
 */
struct attacher *attacher__new(const struct bpf_object *object, const char *name,
			       const struct probe_spec *spec, bool follow);

/* Takes all probes out. NULL is allowed. */
void attacher__free(struct attacher *attacher);

/* Defines the probes of n more images, and hangs the programs on them; pid is some living
 * process among those that have them. 0 or -errno, having said why. */
int attacher__define(struct attacher *attacher, const struct attach_point *points, size_t n,
		     pid_t pid);

/*
 * The same, and probes n more targets, and with follow what they fork. Nothing is recorded of them
 * while the programs do not know the processes. 0 or -errno, having said why.
 */
int attacher__add(struct attacher *attacher, const struct attach_point *points, size_t n);

/* Probes another process of an image that is defined. 0 or -errno, having said why. */
int attacher__watch(struct attacher *attacher, pid_t pid, __u32 image);

/* To be called soon for each process that a probed one has forked: see uprobe_events__keep().
 * 0 or -errno. */
int attacher__keep(struct attacher *attacher, pid_t pid, __u32 image);

/* The process has ended; the image has no process any more. */
void attacher__release(struct attacher *attacher, pid_t pid, __u32 image);
void attacher__forget(struct attacher *attacher, __u32 image);

#endif /* ATTACH_H */
