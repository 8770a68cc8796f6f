/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of processes whose ids are other processes' by now: one sum per program. A program
 * is a process that the user named, with what it started; or all processes that were found with the
 * same command line. Its ended processes' stacks have a process id of their own, above all others.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* This many programs; the last one stands for all that come later. */
#define MAX_PROGRAMS MAX_PROCESSES

/* The id under which a program's ended processes are counted; and the bound of all ids. */
#define ENDED_OF(program) (MAX_PROCESSES + (program))
#define MOST_IDS	  (MAX_PROCESSES + MAX_PROGRAMS)

struct program {
	pid_t pid; /* the process that the user named; 0: it was found */
	char *cmdline;
	char comm[COMM_LEN];
	char python[32];
	const char *attribution;
	/* Of its ended processes: */
	size_t ended; /* how many */
	uint64_t before_bytes, anon_bytes, shared_before_bytes;
	uint64_t lost[LOST_CAUSES];
};

struct programs;

struct programs *programs__new(void);
void programs__free(struct programs *programs);

/* Returns the number of the described program, which is copied, or -ENOMEM. With pid 0, takes one
 * that was met before, if there is one. */
int programs__find(struct programs *programs, const struct program *described);

/* Adds an ended process. */
void programs__add_ended(struct programs *programs, __u32 number,
			 const struct process_counters *counters);

/* Returns all programs, by number below n. */
const struct program *programs__get(const struct programs *programs, size_t *n);

#endif /* PROGRAMS_H */
