/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uprobes on targets, in such a way that what a target forks is probed from its
 * first instruction on, and no other process on the host ever traps.
 *
 * The kernel offers one mechanism with both properties: a uprobe event of tracefs
 * with perf events on the targets' threads that children inherit
 * (kernel/trace/trace_uprobe.c, uprobe_perf_open(): "we can rely on dup_mmap()
 * which preserves the already installed bp's"). Those perf events stay disabled:
 * that they are open is what puts the breakpoints in, and disabled they cost
 * nothing at a context switch. The BPF program hangs on one more perf event, the
 * anchor, that nobody inherits: a child's copy would take the program along when
 * it exits.
 */
#ifndef UPROBE_EVENTS_H
#define UPROBE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <bpf/libbpf.h>

struct uprobe_events;

/* name: of letters, digits and _, tells those of one pymemtop apart in tracefs. Returns 0 and
 * the probes, or -errno, having said why. */
int uprobe_events__new(const char *name, struct uprobe_events **probes);

/* Takes everything out again; also what a killed pymemtop left defined. */
void uprobe_events__free(struct uprobe_events *probes);

/*
 * Adds a place to the probe with that name: in the file open at fd, at a file
 * offset; semaphore is the file offset of a USDT semaphore, or 0. A probe can
 * have any number of places, all of them entries or all of them returns. The
 * same place twice is taken once. 0 or -errno.
 */
int uprobe_events__add(struct uprobe_events *probes, const char *name, bool is_return, int fd,
		       uint64_t offset, uint64_t semaphore);

/* Whether the probe with that name has that place. */
bool uprobe_events__has(const struct uprobe_events *probes, const char *name, int fd,
			uint64_t offset);

/* Hangs the program on the probe with that name, if it has a place. pid is some
 * living process among those to watch. 0 or -errno, having said why. */
int uprobe_events__attach(struct uprobe_events *probes, const char *name,
			  const struct bpf_program *program, pid_t pid);

/* image tells address spaces apart, as a process's id can be another one's after an exec. Makes all
 * attached probes act on a process, its threads, and what they create:
 * with follow also processes. 0 or -errno, having said why. */
int uprobe_events__watch(struct uprobe_events *probes, pid_t pid, __u32 image, bool follow);

/* To be called soon for each process that a watched one has forked: kernels before
 * 6.12 could otherwise lose its probes when it makes threads. 0 or -errno. */
int uprobe_events__keep(struct uprobe_events *probes, pid_t pid, __u32 image);

/* What was kept for a process that has ended; and all that is of an image which no process has. */
void uprobe_events__release(struct uprobe_events *probes, pid_t pid, __u32 image);
void uprobe_events__forget(struct uprobe_events *probes, __u32 image);

#endif /* UPROBE_EVENTS_H */
