/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event source: what is recorded, and how. A mode is one file with a source_type,
 * and one line in source.c's table; what all have in common is in source.c.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "probe_points.h"
#include "profile.h"
#include "snapshot.h"
#include "stacks.h"
#include "target.h"

struct books;
struct probes;
struct processes;
struct source_type;
struct verifier_stats;

struct source_options {
	unsigned int max_frames;
	unsigned int max_blocks;	/* 0: as many as the kernel's way to keep them suggests */
	unsigned int max_sites;
	unsigned int max_regions;	/* 0: likewise */
	unsigned int sample;
	bool follow;
	bool at_entry;		/* to measure: probes on the functions' first instructions */
	bool idle;		/* to measure: programs that return at once */
	unsigned int targets;	/* how many there will be */
	bool markers;		/* some of them is attributed by markers */
	struct verifier_stats *stats;	/* filled in at the load; NULL: not asked for */
};

/* What holds where the user asks for nothing else. */
void source_options__init(struct source_options *options);

struct source {
	const struct source_type *type;
	struct source_options options;
	const struct bpf_object *object;
	struct numbers *numbers;	/* the programs' */
	struct books *books;
	struct probes *probes;
	struct processes *processes;
	void *own;			/* the type's */
};

struct source_type {
	const char *name;
	const char *help;
	const struct measure *measures;
	const char *warning;	/* what it costs, where that hurts; else NULL */
	struct probe_wish wish;	/* where its probes are */
	bool by_line;		/* its sites are lines, which --function and --file choose */
	bool switchable;	/* top can change to it, and from it */
	bool counts_resident;	/* of its snapshots' books, before_bytes and anon_bytes are there */

	/* What it needs of the kernel besides what all need: 0, or -errno, having said what
	 * is missing. NULL: nothing. */
	int (*check)(void);

	/*
	 * Loads its BPF object, which has bpf/books.bpf.h, lifecycle.bpf.h and what they need,
	 * and fills in own, object and numbers. 0 or -errno; unload() in either case.
	 */
	int (*load)(struct source *source);
	void (*unload)(struct source *source);

	/* The rest may be NULL. Its probes are in place, and no process is recorded yet. 0 or
	 * -errno, having said why. */
	int (*attach)(struct source *source, struct target *const *targets, size_t n);

	/* To be called several times a second. 0 or -errno. */
	int (*keep_up)(struct source *source);

	/* In place of books__snapshot(). */
	int (*snapshot)(struct source *source, struct snapshot **snapshot);
};

/* The mode with that name, NULL if there is none. */
const struct source_type *source_type__find(const char *name);

/* The i-th mode, NULL past the last. */
const struct source_type *source_type__get(size_t i);

/*
 * Loads the BPF programs. stacks receives what they send, and outlives the source. 0 and
 * the source, or -errno, having said why.
 */
int source__open(const struct source_type *type, const struct source_options *options,
		 struct stacks *stacks, struct source **source);

/* Detaches and frees. NULL is allowed. */
void source__close(struct source *source);

/* Attaches to all targets at once; they are recorded from the return on. 0 or -errno,
 * having said why. */
int source__attach(struct source *source, struct target *const *targets, size_t n);

/* Waits for up to timeout_ms milliseconds for what the programs send, and hands it on. 0 or
 * -errno; -EINTR where a signal came. */
int source__poll(struct source *source, int timeout_ms);

/* The processes' books as they are now, by id from 1; n with the unused [0]. Valid until
 * the close, and cheap. */
const struct process_book *source__processes(const struct source *source, size_t *n);

/* 0 and the state of things, which the caller frees, or -errno. */
int source__snapshot(struct source *source, struct snapshot **snapshot);

#endif /* SOURCE_H */
