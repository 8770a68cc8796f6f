/* SPDX-License-Identifier: BSD-2-Clause */
/* The Python frames that a process's threads are in. */
#ifndef THREADS_H
#define THREADS_H

#include <stdint.h>

#include "inspect/memory.h"
#include "target/target.h"

struct thread_frame {
	uint64_t address; /* before 3.11 that of an object */
	uint64_t code;	  /* what it runs */
};

/* Visits them, each thread's from the innermost outwards; ends when the visitor returns other than
 * 0, and returns that. */
int threads__visit_frames(const struct target *target, struct memory *memory,
			  int (*visit)(void *context, const struct thread_frame *frame),
			  void *context);

#endif /* THREADS_H */
