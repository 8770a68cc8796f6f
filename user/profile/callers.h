/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that include what was added in the functions that they called. */
#ifndef CALLERS_H
#define CALLERS_H

#include "profile/profile.h"

/*
 * Replaces the lines of a process: each line that is on its stacks gets the values of all stacks
 * that it is on, once. A function and what is nested in it and has no name, as a comprehension, are
 * on the same lines. Such lines have no sum: the totals stay those of the stacks. Returns 0 or
 * -ENOMEM.
 */
int callers__add(struct profile *profile, struct profile_process *process);

/* Sums up in elsewhere_bytes what is in use on stacks that none of the process's lines are on:
 * those of files and functions that were not asked for, of threads without Python, and those whose
 * outer frames were not recorded. Returns 0 or -ENOMEM. */
int callers__find_elsewhere(const struct profile *profile, struct profile_process *process);

#endif /* CALLERS_H */
