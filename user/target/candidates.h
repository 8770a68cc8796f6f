/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that have just executed a program. Whether that is a CPython shows a few milliseconds
 * later, when the dynamic loader has mapped its libraries.
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
	__u32 parent; /* id of the recorded process that it was or that started it; 0: none */
};

/* NULL if memory is short. */
struct candidates *candidates__new(struct images *images);
void candidates__free(struct candidates *candidates);

/* The process has just executed something. False if there are too many at once. */
bool candidates__add(struct candidates *candidates, const struct candidate *candidate);

/* Takes one that has turned out to be a CPython with its libc. False if none has yet. */
bool candidates__take(struct candidates *candidates, struct candidate *candidate);

/* Seconds until one should be looked at again; HUGE_VAL if there is none. */
double candidates__due(const struct candidates *candidates);

#endif /* CANDIDATES_H */
