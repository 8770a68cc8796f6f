/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of all modes keep together (bpf/counters.bpf.h): the processes' counters, the
 * numbers of processes and sites, and the ring, whose records it passes on.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <bpf/libbpf.h>

#include <linux/types.h>

#include "collect/collector.h"
#include "collect/snapshot.h"
#include "pymemtop.h"

struct counters;

/* Receives the records that the programs send (struct record in bpf/pymemtop.h). */
struct record_sink {
	/* 0, or -errno to end the recording. */
	int (*take)(void *context, const void *record, size_t size);
	void *context;
};

/*
 * Call before loading. Fills in the constants that the programs of all modes have, and sizes the
 * maps that all have. can_allocate: the kernel can allocate more elements of a hash than the few
 * that it keeps ready where the programs run: not with interrupts off. 0 or -errno.
 */
int counters__configure(struct bpf_object *object, struct config *config,
			const struct collector_options *options, bool can_allocate);

/* Call after loading. The sink's context outlives the counters. 0 and the counters, or -errno. */
int counters__new(const struct bpf_object *object, const struct collector_options *options,
		  const struct record_sink *sink, struct counters **counters);

/* NULL is allowed. */
void counters__free(struct counters *counters);

/* A descriptor, readable when the programs have sent something. */
int counters__fd(const struct counters *counters);

/* Passes on all that the programs have sent. 0 or -errno. */
int counters__drain(struct counters *counters);

/* Takes an id, from 1 on, for a process with these counters. Returns the id or -errno. */
int counters__open_process(struct counters *counters, const struct process_counters *process);

/*
 * Frees for reuse the number of a site whose counters are cleared, or a process's id. Nothing may
 * refer to them any more. hash is from the site's record. 0 or -errno.
 */
int counters__free_site(struct counters *counters, __u32 site, __u64 hash);

/* Whether the site with that hash has that number. If two threads made the same site at once, one
 * of them gave its number back after sending it. */
bool counters__has_site(const struct counters *counters, __u32 site, __u64 hash);

int counters__free_process(struct counters *counters, __u32 id);

void counters__set_state(struct counters *counters, __u32 id, enum process_state state);

/* Makes a process another one's child, because its parent's id is being freed. */
void counters__reparent(struct counters *counters, __u32 id, __u32 parent);

/* The processes' counters as they are now, by id from 1; n includes the unused [0]. */
const struct process_counters *counters__processes(const struct counters *counters, size_t *n);

/* One above all sites that were ever handed out. */
size_t counters__next_site(const struct counters *counters);

/* Whether a process was still there when its memory was read just now. At its end the memory goes
 * first, and before 6.16 the process is reported as ended only after that. */
bool process__has_memory(const struct process_counters *process);

/* Sites that can still be handed out, and that there can be. */
size_t counters__sites_left(const struct counters *counters);
size_t counters__most_sites(const struct counters *counters);

/* Whether the programs have sent the process's code object at that address, and it still lives. */
bool counters__has_code(const struct counters *counters, __u32 process, __u64 address);

#endif /* COUNTERS_H */
