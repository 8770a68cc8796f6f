/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPython's arenas for small objects take of what a mode counts. An arena, or a page of one,
 * is shared by the objects of many lines: the line that needed it first is a hint, and no holder.
 * So it is kept apart from what is a line's own.
 */
#ifndef ARENAS_H
#define ARENAS_H

#include "collect/collector.h"

struct arenas;

enum arenas_in {
	ARENAS_IN_MAPPINGS, /* of bpf/mappings.bpf.h: a mapping with a pool in it is an arena */
	ARENAS_IN_PAGES,    /* of bpf/pages.bpf.h */
};

/* For a collector that is attached; it outlives the arenas, and has its sites' parts from then on.
 * NULL where memory is short. */
struct arenas *arenas__new(struct collector *collector, enum arenas_in in);
void arenas__free(struct arenas *arenas);

/* A process is recorded under that id; the id is going to be another's. */
void arenas__meet(struct arenas *arenas, __u32 id, const struct target *target);
void arenas__forget(struct arenas *arenas, __u32 id);

/* Looks at all processes that run: before a snapshot is taken. 0 or -ENOMEM. */
int arenas__look(struct arenas *arenas);

/* The same now and then, for what ends between two snapshots: to be called about once a second. 0
 * or -ENOMEM. */
int arenas__keep_up(struct arenas *arenas);

/* Says in a snapshot what there is in each process. */
void arenas__describe(const struct arenas *arenas, struct snapshot *snapshot);

#endif /* ARENAS_H */
