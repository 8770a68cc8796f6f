/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile: a snapshot with names. All that a renderer sees. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <linux/types.h>

#include "base/format.h"
#include "pymemtop.h"
#include "symbols/code_objects.h"
#include "symbols/def_ranges.h"
#include "symbols/source_text.h"

/*
 * heap: blocks, and apart from them direct mappings. rss: pages, of which those that are
 * resident are outstanding, and those that were touched first are allocated.
 */
struct values {
	uint64_t outstanding_bytes, outstanding_count; /* allocated since the attach, not freed */
	uint64_t allocated_bytes, allocated_count;     /* allocated since the attach */
	uint64_t mapped_bytes, mapped_count;	       /* mapped since the attach, not unmapped */
};

enum value_kind {
	VALUE_BYTES,
	VALUE_COUNT,
	VALUE_CHANGE, /* bytes; can be negative */
	VALUE_LEVEL,  /* bytes that there were at some time: no sum over lines */
};

/* One of the amounts, as a mode calls it. */
struct value_type {
	const char *member; /* in json */
	const char *title;  /* of its column in tables; NULL: it has none */
	size_t offset;	    /* in struct values */
	enum value_kind kind;
};

/* A mode's measures end with a member of NULL. The first is the outstanding bytes; the last
 * one with a title tells how much there was to do. */
#define SCHEMA_END                         \
	{                                  \
		NULL, NULL, 0, VALUE_BYTES \
	}

struct profile_line {
	const struct location *location;
	const struct def_range *function; /* lines: that it is in; NULL: its module's */
	struct values values;
	int64_t increment_bytes; /* of outstanding_bytes, since the interval began */
	int64_t increment_count;
};

struct profile_stack {
	size_t nframes;
	const struct location *const *frames; /* leaf first */
	struct values values;
	int64_t increment_bytes; /* as a line's */
};

/* A source file that could be read. */
struct profile_file {
	const char *file; /* the same pointer as in the places */
	const struct source_text *text;
	const struct def_ranges *functions; /* in it; lines */
};

struct profile_process {
	pid_t pid, parent; /* parent 0: the user named the process */
	char comm[COMM_LEN];
	char cmdline[4096];
	char python[32];	 /* its version */
	const char *attribution; /* as the option has it */
	enum process_state state;
	uint64_t rss_at_attach_bytes;
	uint64_t rss_bytes; /* now; 0 where the process is gone */
	struct values total;
	int64_t increment_bytes; /* of total.outstanding_bytes */
	/* rss: RssAnon is the sum of what was resident before the attach, or the fork, and is
	 * so still, of the lines', and of what belongs to neither. Negative where the kernel's
	 * count and the pages were read at slightly different moments, or sampled. */
	uint64_t rss_anon_bytes, before_attach_bytes;
	int64_t unattributed_bytes;
	uint64_t lost[LOST_CAUSES];

	size_t nlines;
	struct profile_line *lines; /* by increment, the largest first */
	size_t nstacks;
	struct profile_stack *stacks; /* by outstanding bytes, the largest first */
	size_t nfiles;
	struct profile_file *files; /* of the top lines, where they were asked for */
};

struct profile {
	const char *host;
	const char *mode;
	const struct value_type *schema;
	bool counts_resident; /* the processes' rss_anon_bytes and so on are there */
	time_t time;
	double duration_seconds; /* since the attach */
	double interval_seconds; /* that the increments are over */
	uint64_t map_bytes;	 /* kernel memory of the BPF maps */
	size_t nprocesses;
	struct profile_process *processes;
};

/* Order of two lines by file, function and number; those of a module come before those of its
 * functions. */
int profile_line__compare(const struct profile_line *a, const struct profile_line *b);

uint64_t value_type__of(const struct value_type *type, const struct values *values);

/* The same for people: "1.2 MiB", "1,234". */
struct text value_type__format(const struct value_type *type, const struct values *values);

/* The last measure with a title. */
const struct value_type *schema__activity(const struct value_type *schema);

/* How a lost cause is called in outputs, and what it means to the user. */
const char *lost__name(enum lost_cause cause);
const char *lost__help(enum lost_cause cause);

#endif /* PROFILE_H */
