/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector: BPF programs on probes of targets, the counters that they keep, and snapshots
 * of these. What differs between modes is a struct collector_type.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "collect/snapshot.h"
#include "probes/probe_points.h"
#include "target/target.h"

struct counters;
struct uprobe_events;
struct processes;
struct verifier_stats;

struct collector_options {
	unsigned int max_frames;
	unsigned int max_blocks; /* 0: as many as the kernel's way to keep them suggests */
	unsigned int max_sites;
	unsigned int max_regions; /* 0: likewise */
	unsigned int sample;
	bool follow;
	bool at_entry;		      /* to measure: probes on the functions' first instructions */
	bool idle;		      /* to measure: programs that return at once */
	unsigned int targets;	      /* how many there will be */
	bool markers;		      /* some of them is attributed by markers */
	struct verifier_stats *stats; /* filled in at the load; NULL: not asked for */
};

/* What holds where the user asks for nothing else. */
void collector_options__init(struct collector_options *options);

struct collector {
	const struct collector_type *type;
	struct collector_options options;
	const struct bpf_object *object;
	const __u32 *generations; /* of code objects (bpf/code.bpf.h) */
	struct counters *counters;
	struct uprobe_events *probes;
	struct processes *processes;
	void *own; /* the type's */
};

/* How a collector is made: what differs between modes. */
struct collector_type {
	struct probe_spec probes; /* where its probes are */

	/* What it needs of the kernel besides what all need: 0, or -errno, having said what
	 * is missing. NULL: nothing. */
	int (*check)(void);

	/*
	 * Loads its BPF object, which has bpf/counters.bpf.h, lifecycle.bpf.h and what they need,
	 * and fills in own, object and generations. 0 or -errno; unload() in either case.
	 */
	int (*load)(struct collector *collector);
	void (*unload)(struct collector *collector);

	/* The rest may be NULL. Its probes are in place, and no process is recorded yet. 0 or
	 * -errno, having said why. */
	int (*attach)(struct collector *collector, struct target *const *targets, size_t n);

	/* To be called several times a second. 0 or -errno. */
	int (*keep_up)(struct collector *collector);

	/* In place of counters__snapshot(). */
	int (*snapshot)(struct collector *collector, struct snapshot **snapshot);

	/* The id is going to be another process's. */
	void (*forget)(struct collector *collector, __u32 id);
};

/* Who receives the records that the programs send (struct record in bpf/pymemtop.h). */
struct record_sink {
	/* 0, or -errno, which ends the recording. */
	int (*take)(void *context, const void *record, size_t size);
	void *context;
};

/*
 * Loads the BPF programs. What the sink's context refers to outlives the collector. 0 and the
 * collector, or -errno, having said why.
 */
int collector__open(const struct collector_type *type, const struct collector_options *options,
		    const struct record_sink *sink, struct collector **collector);

/* Detaches and frees. NULL is allowed. */
void collector__close(struct collector *collector);

/* Attaches to all targets at once; they are recorded from the return on. 0 or -errno,
 * having said why. */
int collector__attach(struct collector *collector, struct target *const *targets, size_t n);

/* Waits for up to timeout_ms milliseconds for what the programs send, and hands it on. 0 or
 * -errno; -EINTR where a signal came. */
int collector__poll(struct collector *collector, int timeout_ms);

/* The processes' counters as they are now, by id from 1; n with the unused [0]. Valid until
 * the close, and cheap. */
const struct process_counters *collector__processes(const struct collector *collector, size_t *n);

/* 0 and the state of things, which the caller frees, or -errno. */
int collector__snapshot(struct collector *collector, struct snapshot **snapshot);

/* Hands on all that the programs have sent. 0 or -errno. */
int collector__drain(struct collector *collector);

/* Gives a site, or the id of a process that has ended, to be used again: see
 * counters__free_site() and processes__forget(). 0 or -errno. */
int collector__free_site(struct collector *collector, __u32 site, __u64 hash);
int collector__free_process(struct collector *collector, __u32 id);

#endif /* COLLECTOR_H */
