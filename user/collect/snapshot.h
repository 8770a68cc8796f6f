/* SPDX-License-Identifier: BSD-2-Clause */
/* An immutable copy of what the BPF maps said at one moment. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Living objects of one type that one site made. */
struct snapshot_type {
	__u32 site;
	const char *name; /* owned by the collector, and valid until it looks again */
	uint64_t count, bytes;
};

struct snapshot {
	double seconds;	    /* since the attach */
	uint64_t map_bytes; /* kernel memory of the BPF maps */
	size_t nprocesses;
	struct process_counters *processes; /* by process id, from 1; [0]: no process */
	size_t nsites;
	struct site_counters *sites; /* by site, from 1 */
	size_t ntypes;
	struct snapshot_type *types; /* owned by the snapshot; in no order */
};

/* A snapshot with room for that many, all zero; NULL if memory is short. */
struct snapshot *snapshot__new(size_t nprocesses, size_t nsites);
void snapshot__free(struct snapshot *snapshot);

#endif /* SNAPSHOT_H */
