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
struct attacher;
struct verifier_stats;

struct collector_options {
	unsigned int max_frames;
	unsigned int max_blocks; /* 0: as many as the kernel's way to keep them suggests */
	unsigned int max_sites;
	unsigned int max_regions; /* 0: likewise */
	unsigned int max_pools;	  /* 0: likewise */
	unsigned int sample;
	bool follow;
	bool at_entry;		      /* to measure: probes on the functions' first instructions */
	bool idle;		      /* to measure: programs that return at once */
	bool watch_execs;	      /* the sink is told what any process executes */
	unsigned int targets;	      /* how many there are at the start */
	bool markers;		      /* some of them is attributed by markers */
	struct verifier_stats *stats; /* filled in at the load; NULL: not asked for */
	const struct bpf_object *first; /* whose processes and sites it shares; NULL: its own */
};

/* What holds where the user asks for nothing else. */
void collector_options__init(struct collector_options *options);

struct collector {
	const struct collector_type *type;
	struct collector_options options;
	const struct bpf_object *object;
	const __u32 *generations;    /* of code objects (bpf/code.bpf.h) */
	struct counters *counters;   /* that all collectors of a recording share */
	struct site_counters *sites; /* mapped */
	/* What each site took of pymalloc's pools, mapped, and what of that lives, which the mode
	 * finds out; both NULL but for one that counts it. */
	struct pool_counters *pools_taken, *pools_live;
	struct pool_counters *pools_looked; /* what was taken when that was last found out */
	/* What each site's arenas take of its pages, or else of its mappings; NULL where that is
	 * not found out. */
	struct pool_counters *arenas;
	bool arenas_are_pages;
	size_t most_sites;
	struct attacher *attacher;
	struct bpf_link **links; /* of what sees forks, execs and ends */
	double begin;		 /* when it first recorded a process; 0: not yet */
	void *own;		 /* the type's */
};

#define MOST_COLLECTORS 4

/* Those of one recording. */
struct collector_set {
	struct collector *of[MOST_COLLECTORS];
	size_t n;
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

	/* The rest may be NULL. It is going to record its first process. 0 or -errno, having said
	 * why. */
	int (*attach)(struct collector *collector);

	/* Its probes are on a process that is going to be recorded with that id. */
	void (*meet)(struct collector *collector, __u32 id, pid_t pid, const struct target *target);

	/* To be called soon after processes came, and about once a second. 0 or -errno. */
	int (*keep_up)(struct collector *collector);

	/* In place of collector__read(). */
	int (*snapshot)(struct collector *collector, struct snapshot **snapshot);

	/* The id is going to be another process's. */
	void (*forget)(struct collector *collector, __u32 id);
};

/*
 * Loads the BPF programs. name tells it apart from the others of one pymemtop. It is not
 * ready before collector__begin(). 0 and the collector, or -errno, having said why.
 */
int collector__open(const struct collector_type *type, const char *name,
		    const struct collector_options *options, struct collector **collector);

/* Detaches and frees. NULL is allowed. */
void collector__close(struct collector *collector);

/* Sees forks, execs and ends from here on, and keeps its sites' counters with those numbers,
 * which outlive it. 0 or -errno, having said why. */
int collector__begin(struct collector *collector, struct counters *counters);

/* 0 and the state of things, which the caller frees, or -errno. collector__read() is what the
 * counters say; collector__snapshot() what the mode makes of it. */
int collector__snapshot(struct collector *collector, struct snapshot **snapshot);
int collector__read(struct collector *collector, struct snapshot **snapshot);

/* A site's counters, as they are now; and all zero from now on. */
struct site_counters collector__site(const struct collector *collector, __u32 site);
/* Whether it is known what of the site lives: it has taken nothing since that was looked at. */
bool collector__is_settled(const struct collector *collector, __u32 site);
void collector__clear_site(struct collector *collector, __u32 site);

#endif /* COLLECTOR_H */
