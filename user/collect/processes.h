/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are recorded (bpf/lifecycle.bpf.h): admits targets, keeps what their children
 * need, and clears away what dead ones left in the maps.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <bpf/libbpf.h>

#include "collect/collector.h"
#include "collect/counters.h"
#include "probes/keeper.h"
#include "target/target.h"

struct processes;

/* The arguments outlive it, and collectors may be added. NULL if memory is short. */
struct processes *processes__new(const struct collector_set *collectors, struct counters *counters,
				 struct keeper *keeper);
void processes__free(struct processes *processes);

/* Opens a target's counters, and takes over the target. parent is the id of the process that
 * started it, 0 if that is not recorded. Returns its id or -errno. */
int processes__open(struct processes *processes, struct target *target, __u32 parent);

/* Undoes that, for one that will not be admitted. */
void processes__drop(struct processes *processes, __u32 id);

/* The target of a process, or of the one that it was forked from; and the number of their image. */
const struct target *processes__target(const struct processes *processes, __u32 id, __u32 *image);

/* Looks at what a process has loaded: see target/loaded.h. Returns how many files are new to its
 * target, or -errno. */
int processes__look_at_loaded(struct processes *processes, __u32 id, struct images *images);

/* From now on the programs record what the process does. 0 or -errno, having said why. */
int processes__admit(struct processes *processes, __u32 id);

/* Call this soon after new processes appear, and about once a second. */
void processes__keep_up(struct processes *processes);

/* The next call of it frees what dead processes have in maps, however short ago it last did. */
void processes__sweep_soon(struct processes *processes);

/* Whether ids are running out: more than half of them are taken. */
bool processes__are_short(const struct processes *processes);

/* Lists the ids of processes that have ended and that no map refers to any more, the earliest first
 * and at most most of them, without the last kept ones. Returns how many. */
size_t processes__dead(const struct processes *processes, size_t kept, __u32 *ids, size_t most);

/* Frees the id of one of these, once its counts are folded. 0 or -errno. */
int processes__forget(struct processes *processes, __u32 id);

#endif /* PROCESSES_H */
