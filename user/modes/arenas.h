/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a mode's counts that CPython's arenas for small objects take. Objects of many lines
 * share an arena, or a page of one: the line that first needed it is a hint, not a holder. So
 * arenas are kept apart from what is a line's own.
 */
#ifndef ARENAS_H
#define ARENAS_H

#include "collect/collector.h"

struct arenas;

enum arenas_in {
	ARENAS_IN_MAPPINGS, /* of bpf/mappings.bpf.h: a mapping with a pool in it is an arena */
	ARENAS_IN_PAGES,    /* of bpf/pages.bpf.h */
};

/* For an attached collector, which outlives the arenas; from then on collector->arenas has each
 * site's part. Returns NULL if out of memory. */
struct arenas *arenas__new(struct collector *collector, enum arenas_in in);
void arenas__free(struct arenas *arenas);

/* Meets a process, recorded under that id from now on; forgets one whose id will be another's. */
void arenas__meet(struct arenas *arenas, __u32 id, const struct target *target);
void arenas__forget(struct arenas *arenas, __u32 id);

/* Looks at all running processes; call it before taking a snapshot. Returns 0 or -ENOMEM. */
int arenas__look(struct arenas *arenas);

/* Does the same now and then, for processes that end between two snapshots; call it about once a
 * second. Returns 0 or -ENOMEM. */
int arenas__keep_up(struct arenas *arenas);

/* Sets small_bytes, small_arenas and small_arena_size of each process in a snapshot. */
void arenas__describe(const struct arenas *arenas, struct snapshot *snapshot);

#endif /* ARENAS_H */
