/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event source: what is recorded, and how. A mode is one file with one of
 * these, and one line in source.c's table.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "probes.h"
#include "profile.h"
#include "snapshot.h"
#include "stacks.h"
#include "target.h"

struct source_options {
	unsigned int max_frames;
	unsigned int max_blocks;
	unsigned int max_sites;
	unsigned int max_regions;
	unsigned int sample;
	bool follow;
	bool at_entry;		/* to measure: probes on the functions' first instructions */
	bool idle;		/* to measure: programs that return at once */
	unsigned int targets;	/* how many there will be */
	bool markers;		/* some of them is attributed by markers */
};

/* What a source keeps; its own file knows what is in it. */
struct source;

struct source_type {
	const char *name;
	const char *help;
	const struct measure *measures;
	const char *warning;	/* what it costs, where that hurts; else NULL */
	bool by_line;		/* its sites are lines, which --function and --file choose */
	bool switchable;	/* top can change to it, and from it */
	bool counts_resident;	/* of its snapshots' books, before_bytes and anon_bytes are there */

	/* Prints where it would put its probes on the target, and why. 0 or -errno. */
	int (*explain)(const struct target *target, FILE *out);

	/*
	 * Loads the BPF programs. stacks receives what they send, and outlives the
	 * source. Returns 0 and the source, or -errno, having said why.
	 */
	int (*open)(const struct source_options *options, struct stacks *stacks,
		    struct source **source);

	/* Attaches to all targets at once; they are recorded from the return on. 0 or
	 * -errno, having said why. */
	int (*attach)(struct source *source, struct target *const *targets, size_t n);

	/* Waits for up to timeout_ms milliseconds for what the programs send, and
	 * hands it on. 0 or -errno; -EINTR where a signal came. */
	int (*poll)(struct source *source, int timeout_ms);

	/* The processes' books as they are now, by id from 1; n with the unused [0].
	 * Valid until the close, and cheap. */
	const struct process_book *(*processes)(const struct source *source, size_t *n);

	/* 0 and the state of things, which the caller frees, or -errno. */
	int (*snapshot)(struct source *source, struct snapshot **snapshot);

	/* Detaches and frees. NULL is allowed. */
	void (*close)(struct source *source);
};

/* The mode with that name, NULL if there is none. */
const struct source_type *source_type__find(const char *name);

/* The i-th mode, NULL past the last. */
const struct source_type *source_type__get(size_t i);

#endif /* SOURCE_H */
