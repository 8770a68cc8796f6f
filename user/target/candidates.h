/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that have just executed a program: whether it is a CPython shows when the dynamic
 * loader has mapped its libraries, a few milliseconds later.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

struct images;
struct candidates;

struct candidate {
	pid_t pid;
	__u32 parent; /* id of the recorded process that it was, or was started by; 0: none */
};

/* NULL where memory is short. */
struct candidates *candidates__new(struct images *images);
void candidates__free(struct candidates *candidates);

/* The process has executed something just now. False where there are too many at once. */
bool candidates__add(struct candidates *candidates, const struct candidate *candidate);

/* Takes one that has turned out to be a CPython with its libc. False where none has yet. */
bool candidates__take(struct candidates *candidates, struct candidate *candidate);

/* Seconds until one should be looked at again; HUGE_VAL where there is none. */
double candidates__due(const struct candidates *candidates);

#endif /* CANDIDATES_H */
