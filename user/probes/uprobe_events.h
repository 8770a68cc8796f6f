/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uprobes on targets: what a target forks is probed from its first instruction on, and no other
 * process on the host ever traps.
 *
 * The kernel offers one mechanism with both properties: a uprobe event of tracefs with perf events
 * on the targets' threads that children inherit (kernel/trace/trace_uprobe.c, uprobe_perf_open():
 * "we can rely on dup_mmap() which preserves the already installed bp's"). These perf events stay
 * disabled: opening them inserts the breakpoints, and while disabled they cost nothing at a context
 * switch. The BPF program is attached to one more perf event, the anchor, which nobody inherits: a
 * child's copy would take the program along when it exits.
 */
#ifndef UPROBE_EVENTS_H
#define UPROBE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <bpf/libbpf.h>

struct keeper;
struct uprobe_events;

/* name, of letters, digits and _, tells apart those of one pymemtop in tracefs. Also removes what a
 * killed pymemtop left defined. The keeper outlives the probes, and is told of them. Returns 0 and
 * the probes, or -errno, having said why. */
int uprobe_events__new(const char *name, struct keeper *keeper, struct uprobe_events **probes);

/* Removes all that was added, attached and watched. */
void uprobe_events__free(struct uprobe_events *probes);

/*
 * Adds a place to the probe with that name: a file offset in the file open at fd; semaphore is the
 * file offset of a USDT semaphore, or 0. A probe can have any number of places, all of them entries
 * or all of them returns. Adding the same place twice is fine. 0 or -errno.
 */
int uprobe_events__add(struct uprobe_events *probes, const char *name, bool is_return, int fd,
		       uint64_t offset, uint64_t semaphore);

/* Whether the probe with that name has that place. */
bool uprobe_events__has(const struct uprobe_events *probes, const char *name, int fd,
			uint64_t offset);

/* Attaches the program to the probe with that name, if it has a place. pid is a living process
 * among those to watch, whose breakpoints then stay as long as the program is attached, or any
 * other. 0 or -errno, having said why. */
int uprobe_events__attach(struct uprobe_events *probes, const char *name,
			  const struct bpf_program *program, pid_t pid);

/* Makes all attached probes act on a process, its threads, and the threads that they create; with
 * follow also on processes. process is its id, and image tells address spaces apart, as an exec
 * keeps the pid. 0 or -errno, having said why. */
int uprobe_events__watch(struct uprobe_events *probes, pid_t pid, __u32 process, __u32 image,
			 bool follow);

/* Takes all breakpoints away, until processes are watched again. The programs stay attached. */
void uprobe_events__pause(struct uprobe_events *probes);

/* Closes all events of an image that no process has any more. */
void uprobe_events__forget(struct uprobe_events *probes, __u32 image);

#endif /* UPROBE_EVENTS_H */
