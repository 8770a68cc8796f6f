/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are recorded (bpf/lifecycle.bpf.h): admits targets, keeps what their
 * children need, and clears away what the dead left in the maps.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <bpf/libbpf.h>

#include "collect/counters.h"
#include "probes/uprobe_events.h"
#include "target/target.h"

struct processes;

/* All that it is given outlives it. NULL where memory is short. */
struct processes *processes__new(const struct bpf_object *object, struct counters *counters,
				 struct uprobe_events *probes);

/* No more forks and ends are seen. NULL is allowed. */
void processes__free(struct processes *processes);

/* Sees forks, execs and ends from here on, and opens the targets' counters, by
 * their order from 1. 0 or -errno, having said why. */
int processes__open(struct processes *processes, struct target *const *targets, size_t n);

/* The programs take note of what the targets do from here on. 0 or -errno, having
 * said why. */
int processes__admit(struct processes *processes, struct target *const *targets, size_t n);

/* To be called several times a second. */
void processes__keep_up(struct processes *processes);

/* Whether ids are running out: more than half of them are taken. */
bool processes__are_short(const struct processes *processes);

/* Processes that have ended and that no map refers to any more, but for so many that ended
 * last: at most so many of them into ids, the earliest first. Returns how many. */
size_t processes__dead(const struct processes *processes, size_t kept, __u32 *ids, size_t most);

/* Gives the id of one of these free, once its counts are folded. 0 or -errno. */
int processes__forget(struct processes *processes, __u32 id);

#endif /* PROCESSES_H */
