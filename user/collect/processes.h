/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are recorded (bpf/lifecycle.bpf.h): admits targets, keeps what their
 * children need, and clears away what the dead left in the maps.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <bpf/libbpf.h>

#include "collect/collector.h"
#include "collect/counters.h"
#include "target/target.h"

struct processes;

/* All that it is given outlives it, and the collectors can become more. NULL where memory is
 * short. */
struct processes *processes__new(const struct collector_set *collectors, struct counters *counters);
void processes__free(struct processes *processes);

/* Opens a target's counters; parent is the id of who started it, 0 if nobody that is recorded.
 * The target is theirs from then on. Its id, or -errno. */
int processes__open(struct processes *processes, struct target *target, __u32 parent);

/* Undoes that, for one that is not going to be admitted. */
void processes__drop(struct processes *processes, __u32 id);

/* The target of a process, or of the one that it was forked from; and the number of their
 * address space. */
const struct target *processes__target(const struct processes *processes, __u32 id, __u32 *image);

/* The programs take note of what the process does from here on. 0 or -errno, having said
 * why. */
int processes__admit(struct processes *processes, __u32 id);

/* To be called soon after processes came, and about once a second. */
void processes__keep_up(struct processes *processes);

/* Whether ids are running out: more than half of them are taken. */
bool processes__are_short(const struct processes *processes);

/* Processes that have ended and that no map refers to any more, but for so many that ended
 * last: at most so many of them into ids, the earliest first. Returns how many. */
size_t processes__dead(const struct processes *processes, size_t kept, __u32 *ids, size_t most);

/* Gives the id of one of these free, once its counts are folded. 0 or -errno. */
int processes__forget(struct processes *processes, __u32 id);

#endif /* PROCESSES_H */
