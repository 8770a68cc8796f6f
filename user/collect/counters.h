/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters that every mode's programs keep (bpf/counters.bpf.h): sizes their maps, reads
 * them, and hands on what comes through their ring.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <bpf/libbpf.h>

#include <linux/types.h>

#include "collect/collector.h"
#include "collect/snapshot.h"
#include "pymemtop.h"

struct counters;

/*
 * Before the load: fills in the constants that the programs of all modes have, and gives the
 * maps that all have their sizes. can_allocate: the programs run where the kernel can make
 * more elements of a hash than the few that it keeps ready: not with interrupts off. 0 or
 * -errno.
 */
int counters__configure(struct bpf_object *object, struct config *config,
			const struct collector_options *options, bool can_allocate);

/*
 * After the load. The sink receives what the programs send; its context outlives the counters.
 * 0 and the counters, or -errno.
 */
int counters__new(const struct bpf_object *object, const struct collector_options *options,
		  const struct record_sink *sink, struct counters **counters);

/* NULL is allowed. */
void counters__free(struct counters *counters);

/* Snapshots count their seconds from here on. */
void counters__begin(struct counters *counters);

/* Waits for up to timeout_ms milliseconds for what the programs send, and hands it on.
 * 0 or -errno; -EINTR where a signal came. */
int counters__poll(struct counters *counters, int timeout_ms);

/* Opens a process's counters, under the next id from 1 on: to be called before any process
 * forks under watch. The id, or -errno. */
int counters__open_process(struct counters *counters, const struct process_counters *process);

/* Lets the programs give out the ids that are left. 0 or -errno. */
int counters__release_ids(struct counters *counters);

/*
 * The counters of a site, or of a process and an id, are what they were before it came; they
 * can be given out again. hash is the one that the site's record had. Nothing may refer to them
 * any more. 0 or -errno.
 */
int counters__free_site(struct counters *counters, __u32 site, __u64 hash);
int counters__free_process(struct counters *counters, __u32 id);

void counters__set_state(struct counters *counters, __u32 id, enum process_state state);

/* Makes a process another one's child, as its parent's id is being freed. */
void counters__reparent(struct counters *counters, __u32 id, __u32 parent);

/* The processes' counters as they are now, by id from 1; n with the unused [0]. */
const struct process_counters *counters__processes(const struct counters *counters, size_t *n);

/* Hands on all that the programs have sent. 0 or -errno. */
int counters__drain(struct counters *counters);

/* Sites that can still be given out, and that there can be. */
size_t counters__sites_left(const struct counters *counters);
size_t counters__most_sites(const struct counters *counters);

/* Whether the programs have sent a process's code object at that address, which lives. */
bool counters__has_code(const struct counters *counters, __u32 process, __u64 address);

/* A site's counters, as they are now. */
struct site_counters counters__site(const struct counters *counters, __u32 site);

/* 0 and the state of things, which the caller frees, or -errno. */
int counters__snapshot(struct counters *counters, struct snapshot **snapshot);

#endif /* COUNTERS_H */
