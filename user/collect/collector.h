/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector: BPF programs on probes of targets, the counters that they keep, and snapshots of
 * these. struct collector_type has what differs between modes.
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
struct kept;
struct verifier_stats;

#define DEFAULT_FRAMES 64

struct collector_options {
	unsigned int max_frames;
	unsigned int max_blocks; /* 0: as many as suit the kernel's way to keep them */
	unsigned int max_sites;
	unsigned int max_regions; /* 0: likewise */
	unsigned int max_pools;	  /* 0: likewise */
	unsigned int sample;
	bool follow;
	bool at_entry;		      /* to measure: probes on the functions' first instructions */
	bool peak;		      /* sites as they were when their process held most */
	bool idle;		      /* to measure: programs that return at once */
	bool watch_execs;	      /* the sink gets a record of what any process executes */
	unsigned int targets;	      /* their number at the start */
	bool pauses;		      /* its probes are there in windows: see session/windows.h */
	double min_age;		      /* then: seconds after which what lives is kept */
	bool markers;		      /* one of them is attributed by markers */
	struct verifier_stats *stats; /* filled in when loading; NULL: not asked for */
	const struct bpf_object *first; /* whose processes and sites it shares; NULL: its own */
};

/* The defaults. */
void collector_options__init(struct collector_options *options);

struct collector {
	const struct collector_type *type;
	struct collector_options options;
	const struct bpf_object *object;
	const __u32 *generations;    /* of code objects (bpf/code.bpf.h) */
	struct counters *counters;   /* shared by all collectors of a recording */
	struct site_counters *sites; /* mapped */
	struct site_peak *peaks;     /* mapped; NULL: what is now is asked for */
	/* What each site took from pymalloc's pools, mapped; and how much of that lives, which the
	 * mode finds out. Both are NULL unless the mode counts it. */
	struct pool_counters *pools_taken, *pools_live;
	struct pool_counters *pools_looked; /* what was taken when that was last found out */
	/* How much of each site's pages, or else of its mappings, is arenas; NULL if nobody finds
	 * that out. */
	struct pool_counters *arenas;
	bool arenas_are_pages;
	size_t most_sites;
	struct kept *kept; /* what is kept of what windows saw; NULL: it sees all */
	struct attacher *attacher;
	struct bpf_link **links; /* of the programs for fork, exec and exit */
	double begin;		 /* when it first recorded a process; 0: not yet */
	void *own;		 /* the type's */
};

#define MOST_COLLECTORS 4

/* The collectors of one recording. */
struct collector_set {
	struct collector *of[MOST_COLLECTORS];
	size_t n;
};

/* A kind of collector: what differs between modes. */
struct collector_type {
	struct probe_spec probes; /* where its probes are */

	bool has_peak; /* --peak: its sites hold blocks and mappings, and nothing else */

	/* Checks what it needs of the kernel besides what all need: 0, or -errno, having said what
	 * is missing. NULL: nothing. */
	int (*check)(void);

	/*
	 * Loads its BPF object, which includes bpf/counters.bpf.h, lifecycle.bpf.h and what they
	 * need, and fills in own, object and generations. 0 or -errno; call unload() in either
	 * case.
	 */
	int (*load)(struct collector *collector);
	void (*unload)(struct collector *collector);

	/* The rest may be NULL. Called before it records its first process. 0 or -errno, having
	 * said why. */
	int (*attach)(struct collector *collector);

	/* Called when its probes are on a process that will be recorded with that id. */
	void (*meet)(struct collector *collector, __u32 id, pid_t pid, const struct target *target);

	/* Called soon after new processes appear, and about once a second. 0 or -errno. */
	int (*keep_up)(struct collector *collector);

	/* Replaces collector__read(). */
	int (*snapshot)(struct collector *collector, struct snapshot **snapshot);

	/* Called before another process gets the id. */
	void (*forget)(struct collector *collector, __u32 id);
};

/*
 * Loads the BPF programs. name tells the collector apart from the others of one pymemtop. It is not
 * ready before collector__begin(). 0 and the collector, or -errno, having said why.
 */
int collector__open(const struct collector_type *type, const char *name,
		    const struct collector_options *options, struct collector **collector);

/* A program that the skeleton can attach by its section, and where its link goes. */
struct attachable {
	struct bpf_program *program;
	struct bpf_link **link;
};

/* Attaches those of the n programs that are loaded. what they see is for the error. 0 or -errno,
 * having said why. */
int collector__attach(const struct attachable *programs, size_t n, const char *what);

/* Detaches and frees. NULL is allowed. */
void collector__close(struct collector *collector);

/* From now on sees forks, execs and exits, and keeps its sites' counters under the numbers that
 * counters, which outlives it, hands out. 0 or -errno, having said why. */
int collector__begin(struct collector *collector, struct counters *counters);

/* 0 and a snapshot, which the caller frees, or -errno. collector__read() returns what the counters
 * say; collector__snapshot() what the mode makes of it. */
int collector__snapshot(struct collector *collector, struct snapshot **snapshot);
int collector__read(struct collector *collector, struct snapshot **snapshot);

/* Whether a site holds nothing, nor did at the peak if that is asked for. */
bool collector__site_is_empty(const struct collector *collector, __u32 site);

/* A site's counters as they are now, or were at the peak if that is asked for;
 * collector__clear_site() sets them to zero. */
struct site_counters collector__site(const struct collector *collector, __u32 site);
/* What a site has allocated so far, also from pools. */
void collector__allocated(const struct collector *collector, __u32 site, uint64_t *bytes,
			  uint64_t *count);

/* Periodic work. 0 or -errno. */
int collector__keep_up(struct collector *collector);

/* Called when its probes are on a process, and before another process gets the id. */
void collector__meet(struct collector *collector, __u32 id, pid_t pid, const struct target *target);
void collector__forget(struct collector *collector, __u32 id);

/* Whether it is known how much of the site lives: it has taken nothing since the last look. */
bool collector__is_settled(const struct collector *collector, __u32 site);
void collector__clear_site(struct collector *collector, __u32 site);

#endif /* COLLECTOR_H */
