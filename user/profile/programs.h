/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of processes whose ids are other processes' by now: a sum for each program. That
 * is a process that the user named, with what it started; and of those that were found, all that
 * run the same command line. Their stacks are of a process id of its own, above all others.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* So many that are different; what runs beyond that is one more. */
#define MAX_PROGRAMS MAX_PROCESSES

/* The id under which the ended processes of a program are counted, and below which ids all
 * are. */
#define ENDED_OF(program) (MAX_PROCESSES + (program))
#define MOST_IDS	  (MAX_PROCESSES + MAX_PROGRAMS)

struct program {
	pid_t pid; /* of the process that the user named; 0: it was found */
	char *cmdline;
	char comm[COMM_LEN];
	char python[32];
	const char *attribution;
	/* Of those that have ended: */
	size_t ended; /* processes */
	uint64_t before_bytes, anon_bytes;
	uint64_t lost[LOST_CAUSES];
};

struct programs;

struct programs *programs__new(void);
void programs__free(struct programs *programs);

/* The number of the program that is described, which is copied; pid 0: of one that was met
 * before, where there is one. Or -ENOMEM. */
int programs__find(struct programs *programs, const struct program *described);

/* Adds a process that has ended. */
void programs__add_ended(struct programs *programs, __u32 number,
			 const struct process_counters *counters);

/* By number, below n. */
const struct program *programs__get(const struct programs *programs, size_t *n);

#endif /* PROGRAMS_H */
