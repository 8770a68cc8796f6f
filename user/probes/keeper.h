/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the breakpoints of forked children, where the kernel could lose them.
 *
 * When the scheduler switches between two tasks whose perf events are copies of the same ones, perf
 * swaps the tasks' contexts instead of the events (perf_event_context_sched_out()). But uprobes
 * know an event's process by the task that it was opened for. So when one of the two ends, it takes
 * the other's events along, and a child process with threads loses its breakpoints. An event of the
 * child's own, which nothing inherits, holds them. It has to be there before the child's threads
 * end, whatever else pymemtop is busy with: so a thread opens it, which does nothing else.
 *
 * From Linux 6.12 on there is a way to prevent the swapping (FEATURE_OWN_CONTEXTS), and no keeper.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

struct keeper;

/* Starts the thread; fd is the map of the ring that tells what recorded processes fork. Returns 0,
 * with NULL in *keeper if none is needed, or -errno. All calls below do nothing then. */
int keeper__new(int fd, struct keeper **keeper);

/* Ends the thread, and closes all events. */
void keeper__free(struct keeper *keeper);

/* Holds a process by an event with that id, in tracefs, unless it is held by one. 0, also if it has
 * ended, or -errno. process is its id: one that executes something keeps its pid, but gets
 * another. */
int keeper__hold(struct keeper *keeper, pid_t pid, __u32 process, uint64_t id);

/* Holds a forked child by events with the ids of its parent's, unless it is held. 0 or -errno. */
int keeper__inherit(struct keeper *keeper, pid_t pid, __u32 process, __u32 parent);

/* Closes all events with that id. */
void keeper__remove(struct keeper *keeper, uint64_t id);

/* Closes the events of a process. */
void keeper__release(struct keeper *keeper, pid_t pid, __u32 process);

#endif /* KEEPER_H */
