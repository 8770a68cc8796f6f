/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes a session records, and what is known of each besides what is counted. */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdbool.h>

#include "collect/tracer.h"
#include "profile/process_info.h"
#include "profile/programs.h"
#include "target/target.h"

struct targets;

struct targets_options {
	enum attribution attribution; /* 0: auto */
	bool lines;		      /* their line markers are what is recorded */
	bool before_main;	      /* those at the start have not reached main() yet */
	bool all;		      /* every CPython: they come and go, and nobody named them */
	struct images *images;	      /* outlives the targets; NULL: each has its own */
};

/* NULL where memory is short. */
struct targets *targets__new(const struct targets_options *options, struct tracer *tracer);

/* Before the tracer. NULL is allowed. */
void targets__free(struct targets *targets);

/*
 * Looks at those to begin with, before any BPF program is loaded, as the helpers that read
 * their files are forked here. 0 and an array of n, which the caller frees, of targets, which go
 * to targets__attach(); or -errno, having said why.
 */
int targets__find(struct targets *targets, const pid_t *pids, size_t npids, struct target ***found,
		  size_t *n);

/* Whether some of what was found has its markers followed. */
bool targets__need_markers(const struct targets *targets);

/* Records n targets, which are the tracer's from then on, also where it fails. parent: see
 * tracer__attach(). 0 or -errno, having said why. */
int targets__attach(struct targets *targets, struct target *const *found, size_t n, __u32 parent);

/* Takes note of what the kernel told of a process. */
void targets__hear(struct targets *targets, const struct process_record *record);

/* Takes note of every CPython that started between the search for all and the attach. */
void targets__find_late(struct targets *targets);

/* Takes note of children that were forked since the last call. */
void targets__note_children(struct targets *targets);

/* Records those that have become a CPython meanwhile. What cannot be recorded has been said,
 * and is no end of the recording. */
void targets__take_candidates(struct targets *targets);

/* Seconds until the next call of that; HUGE_VAL: none is needed. */
double targets__due(const struct targets *targets);

/* Whether one is still there to be recorded, or can come. */
bool targets__are_alive(const struct targets *targets);

/* By process id, MAX_PROCESSES of them; NULL: not met yet. The recycler frees some. */
struct process_info **targets__infos(struct targets *targets);
struct programs *targets__programs(struct targets *targets);

/* Whether the process may have its files read now; a struct read_permission's, with the targets
 * as its context. */
bool targets__may_read(void *targets, const struct process_info *info);

#endif /* TARGETS_H */
