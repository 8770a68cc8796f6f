/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known about a recorded process apart from its counters. */
#ifndef PROCESS_INFO_H
#define PROCESS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"
#include "target/cgroup.h"
#include "target/readers.h"
#include "target/target.h"

struct known_file;

struct process_info {
	const struct process_info *parent; /* NULL: no recorded process started it */
	bool named;    /* the user named it: it is shown on its own, even once it has ended */
	__u32 program; /* the number of its program */
	char *cmdline;
	char python[32];
	struct cgroup cgroup; /* at the attach */
	bool has_loaded;      /* libraries, since we looked which it has */
	enum attribution attribution;
	uint64_t rss_at_attach;
	uint64_t rss;	       /* when last updated; 0: it is gone */
	uint64_t rss_file;     /* of it, pages of files */
	uint64_t rss_shared;   /* ... and shared memory: RssShmem */
	double mapped_due;     /* when what it maps is looked at next, by CLOCK_MONOTONIC */
	struct reader *reader; /* for its files; NULL: we cannot read them with its rights */
	char *cwd;	       /* at the attach */
	double started;	       /* the program, or what forked it; seconds since 1970 */
	size_t nfiles;
	struct known_file *files; /* files looked for so far (profile/sources.c) */
};

/* For a target that is about to be recorded. Returns NULL if out of memory. */
struct process_info *process_info__of_target(const struct target *target, __u32 program,
					     struct reader *reader);

/* For a forked child: copies its parent's, except for what is its own. */
struct process_info *process_info__of_child(const struct process_info *parent, pid_t pid);

void process_info__free(struct process_info *info);

#endif /* PROCESS_INFO_H */
