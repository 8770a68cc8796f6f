/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes a session records, and what is known about each apart from its counters. */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdbool.h>

#include "collect/tracer.h"
#include "profile/process_info.h"
#include "profile/programs.h"
#include "target/selection.h"
#include "target/target.h"

struct targets;

struct targets_options {
	enum attribution attribution; /* 0: auto */
	bool lines;		      /* their line markers are recorded */
	bool privates;		      /* allocators that files have inside are followed */
	bool no_sources;	      /* nobody will ask for the text of their files */
	bool before_main;	      /* the initial ones have not reached main() yet */
	bool all;		      /* every CPython: they come and go, and nobody named them */
	const struct selection *selection; /* of all */
	struct images *images;		   /* outlives the targets; NULL: each has its own */
};

/* Returns NULL if out of memory. */
struct targets *targets__new(const struct targets_options *options, struct tracer *tracer);

/* Call it before the tracer is freed. NULL is allowed. */
void targets__free(struct targets *targets);

/*
 * Looks at the initial targets, before any BPF program is loaded, because it forks the helpers that
 * read their files. Returns 0 and an array, which the caller frees, of n targets, which go to
 * targets__attach(); or -errno, having said why.
 */
int targets__find(struct targets *targets, const pid_t *pids, size_t npids, struct target ***found,
		  size_t *n);

/* Whether the markers of some target that was found are followed. */
bool targets__need_markers(const struct targets *targets);

/* Records n targets, which the tracer owns from then on, even if this fails. parent: see
 * tracer__attach(). Returns 0 or -errno, having said why. */
int targets__attach(struct targets *targets, struct target *const *found, size_t n, __u32 parent);

/* The same, one after the other, of all that run: one that cannot be recorded is said, and left
 * out. */
void targets__attach_each(struct targets *targets, const pid_t *pids, size_t n);

/* Takes note of what the kernel reported about a process. */
void targets__hear(struct targets *targets, const struct process_record *record);

/* Takes note of every CPython that started between the search for all and the attach. */
void targets__find_late(struct targets *targets);

/* Takes note of children forked since the last call. */
void targets__note_children(struct targets *targets);

/* Records candidates that have become a CPython. One that cannot be recorded has been reported, and
 * does not end the recording. */
void targets__take_candidates(struct targets *targets);

/* From now on, allocators that files have inside are followed. */
void targets__want_privates(struct targets *targets);

/* Follows those of libraries that were loaded since the last call. */
void targets__follow_loaded(struct targets *targets);

/* Seconds until targets__take_candidates() is due again; HUGE_VAL: it is not. */
double targets__due(const struct targets *targets);

/* Whether a target is still there to be recorded, or may still come. */
bool targets__are_alive(const struct targets *targets);

/* The infos by process id, MAX_PROCESSES of them; NULL: not met yet. The recycler frees some. */
struct process_info **targets__infos(struct targets *targets);
struct programs *targets__programs(struct targets *targets);

/* For struct read_permission, with the targets as its context: whether the process's files may be
 * read now, and the text that it has of one that is none. */
bool targets__may_read(void *targets, const struct process_info *info);
struct source_text *targets__find_text(void *targets, const struct process_info *info,
				       const char *file);

#endif /* TARGETS_H */
