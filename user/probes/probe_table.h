/* SPDX-License-Identifier: BSD-2-Clause */
/* How the BPF side identifies a probe by its address: see struct probe_table. */
#ifndef PROBE_TABLE_H
#define PROBE_TABLE_H

#include <stddef.h>

#include <linux/types.h>

#include "pymemtop.h"

/* A probe's address in a process, and what is there. */
struct probe_entry {
	__u64 address;
	__u8 kind;   /* enum probe_kind */
	__u8 marker; /* index of its marker_site */
};

/* Makes a table without collisions. If an address occurs twice, it must be the same probe. 0, or
 * -E2BIG if there are too many probes. */
int probe_table__make(const struct probe_entry *probes, size_t n, struct probe_slots *slots);

/* A branch's address in a process, and its POOL_PLACE(). */
struct pool_entry {
	__u64 address;
	__u16 place;
};

/* The same for the places where pymalloc hands out slots, each given once. */
int pool_table__make(const struct pool_entry *entries, size_t n, struct pool_table *table);

#endif /* PROBE_TABLE_H */
