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
 * After the load. numbers is where the programs keep theirs, and the sink receives what they
 * send; numbers and the sink's context outlive the counters. 0 and the counters, or -errno.
 */
int counters__new(const struct bpf_object *object, const struct numbers *numbers,
		  const struct collector_options *options, const struct record_sink *sink,
		  struct counters **counters);

/* NULL is allowed. */
void counters__free(struct counters *counters);

/* Snapshots count their seconds from here on. */
void counters__begin(struct counters *counters);

/* Waits for up to timeout_ms milliseconds for what the programs send, and hands it on.
 * 0 or -errno; -EINTR where a signal came. */
int counters__poll(struct counters *counters, int timeout_ms);

/* The processes' counters as they are now, by id from 1; n with the unused [0]. */
const struct process_counters *counters__processes(const struct counters *counters, size_t *n);

/* 0 and the state of things, which the caller frees, or -errno. */
int counters__snapshot(struct counters *counters, struct snapshot **snapshot);

#endif /* COUNTERS_H */
