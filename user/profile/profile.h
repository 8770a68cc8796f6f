/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile: a snapshot with names, owned by who asked for it. It refers to nothing outside of
 * itself, and outlives the session that it was made by. All that a renderer sees.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <linux/types.h>

#include "profile/values.h"
#include "pymemtop.h"
#include "symbols/code_objects.h"
#include "symbols/def_ranges.h"
#include "symbols/source_text.h"

/* Objects of one type. */
struct profile_type {
	const char *name;
	uint64_t count, bytes;
};

/* What all stacks with one leaf come to. The same file is the same pointer in a profile, and so
 * is the same location. */
struct profile_line {
	const struct location *location;
	const struct def_range *function; /* lines: that it is in; NULL: its module's */
	struct values values;
	struct values change; /* since the interval began */
	size_t ntypes;
	struct profile_type *types; /* objects: of small ones that live, the most bytes first */
};

struct profile_stack {
	size_t nframes;			      /* at least 1 */
	const struct location *const *frames; /* leaf first */
	struct values values;
	struct values change;
};

/* A source file that could be read. */
struct profile_file {
	const char *file;
	struct source_text *text;     /* a reference of the profile's own */
	struct def_ranges *functions; /* likewise; NULL where they were not asked for */
};

struct profile_process {
	pid_t pid, parent; /* parent 0: the user named the process */
	size_t ended; /* not 0: this is the sum of so many children of parent that have ended */
	const char *comm;
	const char *cmdline;	 /* as it was given: it can hold anything */
	const char *python;	 /* its version */
	const char *attribution; /* as the option has it */
	enum process_state state;
	uint64_t rss_at_attach_bytes;
	uint64_t rss_bytes; /* now; 0 where the process is gone */
	struct values total;
	struct values change;
	/* rss: RssAnon is the sum of what was resident before the attach, or the fork, and is
	 * so still, of the lines', of the arenas, and of what belongs to none of these. Negative
	 * where the kernel's count and the pages were read at slightly different moments, or
	 * sampled. */
	uint64_t rss_anon_bytes, before_attach_bytes;
	int64_t unattributed_bytes;
	/* objects: what is taken of pymalloc's pools is the sum of what was so before the attach,
	 * of the lines', which is among their blocks, and of what belongs to neither. */
	uint64_t small_bytes, small_before_bytes, small_unattributed_bytes;
	uint64_t small_arenas, small_arena_size; /* that these are in, and of how many bytes each */
	uint64_t lost[LOST_CAUSES];

	size_t nlines;
	struct profile_line *lines; /* in the order that was asked for */
	size_t nstacks;
	struct profile_stack *stacks; /* the largest values first */
	size_t nfiles;
	struct profile_file *files; /* of the top lines, where they were asked for */
};

struct profile {
	const char *host;
	const char *mode;
	struct schema schema;
	bool counts_arenas;   /* the processes' small_bytes and small_arenas are there */
	bool counts_small;    /* and its parts */
	bool counts_resident; /* the processes' rss_anon_bytes and so on are there */
	time_t time;
	double duration_seconds; /* since the attach */
	double interval_seconds; /* that the changes are over */
	uint64_t map_bytes;	 /* kernel memory of the BPF maps */
	size_t nprocesses;
	struct profile_process *processes;
	struct profile_owned *owned; /* what all of it is in */
};

enum line_order {
	BY_CHANGE,
	BY_VALUE,
};

/* An empty profile, NULL where memory is short. Ends with profile__free(). */
struct profile *profile__new(void);

/* NULL is allowed. */
void profile__free(struct profile *profile);

/* n elements that live as long as the profile, all zero; NULL where memory is short. */
void *profile__alloc(struct profile *profile, size_t n, size_t size);

/* The profile's own copy of a string, and of a location: the same one for what is equal. NULL
 * where memory is short. */
const char *profile__string(struct profile *profile, const char *string);
const struct location *profile__location(struct profile *profile, const struct location *location);

/* Sorts the lines of a process, and sums them up as its totals. */
void profile__add_up(const struct profile *profile, struct profile_process *process,
		     enum line_order order);

/* The file of a process with that name, NULL where it was not read. */
const struct profile_file *profile_process__file(const struct profile_process *process,
						 const char *file);

/* Order of two lines by file, function and number; those of a module come before those of its
 * functions. */
int profile_line__compare(const struct profile_line *a, const struct profile_line *b);

/* How a lost cause is called in outputs, and what it means to the user. */
const char *lost__name(enum lost_cause cause);
const char *lost__help(enum lost_cause cause);

/* "running", "exited", "execed" */
const char *process_state__name(enum process_state state);

#endif /* PROFILE_H */
