/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a recorded process besides what is counted. */
#ifndef PROCESS_INFO_H
#define PROCESS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"
#include "target/readers.h"
#include "target/target.h"

struct known_file;

struct process_info {
	const struct process_info *parent; /* NULL: nobody that is recorded started it */
	bool named;    /* by the user: it is shown by itself, also when it has ended */
	__u32 program; /* that it is one of */
	char *cmdline;
	char python[32];
	enum attribution attribution;
	uint64_t rss_at_attach;
	uint64_t rss;	       /* when last updated; 0: it is gone */
	struct reader *reader; /* of its files; NULL: they cannot be read as it would */
	char *cwd;	       /* at the attach */
	size_t nfiles;
	struct known_file *files; /* that were looked for: profile/sources.c */
};

/* Of a target that is about to be recorded. NULL where memory is short. */
struct process_info *process_info__of_target(const struct target *target, __u32 program,
					     struct reader *reader);

/* Of a forked child: its parent's, but for what is its own. */
struct process_info *process_info__of_child(const struct process_info *parent, pid_t pid);

void process_info__free(struct process_info *info);

#endif /* PROCESS_INFO_H */
