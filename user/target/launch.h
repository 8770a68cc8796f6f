/* SPDX-License-Identifier: BSD-2-Clause */
/* record -- COMMAND: starts a program and holds it before its first Python line. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <sys/types.h>

struct launch;

/*
 * Starts the program, and waits until it, or a process that it has started, has become a CPython,
 * after any number of execs, whose libraries are mapped and whose main() has not run. Holds it
 * there. 0 and the launch, or -errno, having said why.
 */
int launch__new(char **argv, struct launch **launch);

/* That Python. */
pid_t launch__pid(const struct launch *launch);

/* Lets it run. */
void launch__release(struct launch *launch);

/* Passes a signal on to the program. */
void launch__signal(struct launch *launch, int signal);

/* Waits for the program's end. Returns its exit status, or 128 plus the number of the signal that
 * ended it. */
int launch__wait(struct launch *launch);

/* Frees the launch, and kills a program that was never released. */
void launch__free(struct launch *launch);

#endif /* LAUNCH_H */
