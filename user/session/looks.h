/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at which objects are alive in the targets, by type, again and again. A process of ours
 * takes each census: recording does not wait for it, and what its memory makes of it cannot harm
 * us. All together they take a hundredth of a processor's time.
 */
#ifndef LOOKS_H
#define LOOKS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/loop.h"
#include "collect/tracer.h"
#include "inspect/census.h"
#include "target/images.h"

struct looks;

/* What was seen of a process. */
struct looked {
	const struct census *first, *now; /* the same if it was looked at once; NULL: never */
	double first_at, now_at;	  /* when that was, by CLOCK_MONOTONIC */
	const char *why; /* the last look failed for this reason; NULL: it did not */
};

/* At the tracer's processes. It, the loop and the images outlive them. NULL: out of memory. */
struct looks *looks__new(struct tracer *tracer, struct loop *loop, struct images *images);

/* NULL is allowed. */
void looks__free(struct looks *looks);

/* Begins a round of looks at the processes that run, if one is due, and forgets those that the
 * tracer has forgotten. Call it again no later than looks__due() says. Returns 0 or -errno. */
int looks__keep_up(struct looks *looks);

/* When that is, by CLOCK_MONOTONIC. */
double looks__due(const struct looks *looks);

/* Looks at all of them now, and serves the loop until that is done, or one more signal comes.
 * Returns 0 or -errno. */
int looks__take_round(struct looks *looks);

/* Valid until the looks go on. */
struct looked looks__of(const struct looks *looks, pid_t pid);

#endif /* LOOKS_H */
