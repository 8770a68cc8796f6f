/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that have ended and whose ids are other processes' by now: what is kept of them is a
 * sum for each process that the user named. Their stacks are of a process id of its own, above
 * all others.
 */
#ifndef ENDED_H
#define ENDED_H

#include "collect/snapshot.h"
#include "profile/process_info.h"
#include "pymemtop.h"

/* The id under which the ended children of a named process are counted, and below which ids
 * all are. */
#define ENDED_OF(root) (MAX_PROCESSES + (root))
#define MOST_IDS       (2 * MAX_PROCESSES)

struct ended {
	size_t n; /* processes */
	uint64_t before_bytes, anon_bytes;
	uint64_t lost[LOST_CAUSES];
};

/* Adds a process that ended. */
void ended__add(struct ended *ended, const struct process_counters *counters);

#endif /* ENDED_H */
