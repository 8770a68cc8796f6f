/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts a mode's probes on targets that come and go, and tells the programs how to identify each by
 * its address (struct probe_table).
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "probes/probe_points.h"

/* A target, its id, and its index in the array probe_tables, which its children share. */
struct attach_point {
	const struct target *target;
	__u32 process;
	__u32 image;
};

struct attacher;
struct keeper;

/*
 * For the programs of an object: "pymemtop_enter" at the points in spec, "pymemtop_leave" at the
 * returns that they ask for. name tells apart the attachers of one pymemtop. The object and the
 * name outlive the attacher. NULL if memory is short.
 */
struct attacher *attacher__new(const struct bpf_object *object, const char *name,
			       const struct probe_spec *spec, bool follow);

/* Sets the keeper, which outlives the attacher, before anything is defined. */
void attacher__set_keeper(struct attacher *attacher, struct keeper *keeper);

/* Removes all probes. NULL is allowed. */
void attacher__free(struct attacher *attacher);

/* Defines the probes of n more images, and attaches the programs to them; pid is a living process
 * with one of these images. 0 or -errno, having said why. */
int attacher__define(struct attacher *attacher, const struct attach_point *points, size_t n,
		     pid_t pid);

/*
 * The same, and probes n more targets, and with follow what they fork. Records nothing of them
 * until the programs know the processes. 0 or -errno, having said why.
 */
int attacher__add(struct attacher *attacher, const struct attach_point *points, size_t n);

/* Probes another process of a defined image. 0 or -errno, having said why. */
int attacher__watch(struct attacher *attacher, pid_t pid, __u32 process, __u32 image);

/* Defines what a defined image's target has to probe since. pid: a living process that has it. Then
 * the processes of the image are watched again, in these places only. Both: 0 or -errno, having
 * said why. */
int attacher__define_more(struct attacher *attacher, const struct attach_point *point, pid_t pid);
int attacher__watch_last(struct attacher *attacher, pid_t pid, __u32 process, __u32 image);

/* Takes all breakpoints away, until processes are watched again. Only of an attacher that was told
 * that it would pause, before anything is defined. */
void attacher__will_pause(struct attacher *attacher);
void attacher__pause(struct attacher *attacher);

/* Call this when the image has no process any more. */
void attacher__forget(struct attacher *attacher, __u32 image);

#endif /* ATTACH_H */
