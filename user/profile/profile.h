/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile: a snapshot with names, owned by whoever asked for it. It refers to nothing outside
 * itself, and outlives the session that made it. It is all that a renderer sees.
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
#include "target/source_text.h"

/* Objects of one type. */
struct profile_type {
	const char *name;
	uint64_t count, bytes;
};

/* Objects of one type in the whole process, between two looks at its memory. */
struct profile_alive_type {
	struct profile_type now;
	const char *file; /* where the class is defined; NULL: not known */
	int64_t line;	  /* 0: not known */
	int64_t count_change, bytes_change;
};

/* What is alive in a process, whenever it was made. */
struct profile_alive {
	double first_seconds, seconds; /* the looks; since the attach */
	uint64_t count, bytes;
	int64_t count_change, bytes_change;
	size_t ntypes;
	struct profile_alive_type *types; /* what has gained most bytes first; NULL: there was no
					     look */
	const char *why; /* the last look failed for this reason; NULL: it did not */
};

/* A file, or shared memory, and what of it is resident in a process. */
struct profile_mapped {
	const char *name;
	uint64_t bytes;
	bool shared; /* a shared mapping; else pages of a file that were only read */
};

/* The sum of all stacks with one leaf. In a profile, the same file is the same pointer, and so is
 * the same location. */
struct profile_line {
	const struct location *location;
	const struct def_range *function; /* lines: the one it is in; NULL: the module */
	struct values values;
	struct values change; /* since the interval began */
	size_t ntypes;
	struct profile_type *types; /* objects: of small live ones, most bytes first */
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
	struct source_text *text;      /* the profile's own reference */
	bool is_newer;		       /* the file was changed after the process began */
	const struct location *misfit; /* what cannot be where the text has it; NULL: nothing */
	struct def_ranges *functions;  /* likewise; NULL: not asked for */
};

struct profile_process {
	pid_t pid, parent; /* parent 0: the user named the process */
	size_t ended;	   /* not 0: this is the sum of that many ended children of parent */
	/* Not NULL: this is the sum of all processes of the program, so many, of which so many run;
	 * pid is one of them. */
	const char *program;
	size_t members, running;
	const char *comm;
	const char *cmdline; /* as given: it can contain anything */
	const char *python;  /* version */
	/* What runs it, see target/cgroup.h; NULL: nothing that is known. */
	const char *unit, *container, *pod;
	const char *attribution; /* as in the option */
	enum process_state state;
	uint64_t rss_at_attach_bytes;
	uint64_t rss_bytes;			   /* now; 0: the process is gone */
	uint64_t rss_file_bytes, rss_shared_bytes; /* of it, pages of files, and shared memory */
	struct values total;
	struct values change;
	/*
	 * rss: RssAnon is the sum of what was resident before the attach, or the fork, and still
	 * is; of the lines; of the arenas; and of what belongs to none of these. The last is
	 * negative if the kernel's count and the pages were read at slightly different moments, or
	 * sampled.
	 */
	uint64_t rss_anon_bytes, before_attach_bytes;
	int64_t unattributed_bytes;
	/* rss: the same of what is resident in shared mappings, arenas aside. */
	uint64_t shared_bytes, shared_before_bytes;
	int64_t shared_unattributed_bytes;
	/* rss: what is mapped, the largest first; NULL: not looked at. */
	size_t nmapped;
	struct profile_mapped *mapped;
	uint64_t mapped_rest_bytes; /* of all smaller ones */
	/* lines: what was added on stacks that none of the lines are on */
	int64_t elsewhere_bytes;
	/* objects: what is taken of pymalloc's pools is the sum of what was taken before the
	 * attach, of the lines' part, which is among their blocks, and of what belongs to
	 * neither. */
	uint64_t small_bytes, small_before_bytes, small_unattributed_bytes;
	double small_seen_seconds; /* the last look at them, since the attach; negative:
				      none */
	uint64_t small_arenas, small_arena_size; /* arenas that these are in, bytes of each */
	/* --peak: the most that the lines held together, and when; values are as they were then. */
	uint64_t peak_bytes;
	double peak_seconds; /* since the attach */
	uint64_t lost[LOST_CAUSES];
	struct profile_alive alive;

	size_t nlines;
	struct profile_line *lines; /* in the order asked for */
	size_t nstacks;
	struct profile_stack *stacks; /* largest values first */
	size_t nfiles;
	struct profile_file *files; /* of the top lines, if asked for */
};

/* How much of the time was watched: see session/windows.h. Then values are estimates, of what was
 * at least min_age seconds old. */
struct profile_windows {
	size_t n;
	double seconds;		       /* all windows together */
	double min_age;		       /* seconds */
	double max_overhead, overhead; /* asked for, and seen: 0.01 for 1 % of the CPU time; 0: all
					  of the time was watched, and values are exact */
};

/* What recording costs the targets, where all of the time is watched: from samples. */
struct profile_cost {
	bool known;
	double traps_a_second; /* at probes */
	double runs_a_second;  /* of programs, at probes and tracepoints */
	/* The part of the targets' CPU time that traps and programs take, since the attach and in
	 * the last sample. Programs at tracepoints run for others, too, which is counted in. */
	double cpu_share, cpu_share_now;
};

struct profile {
	const char *host;
	const char *mode;
	struct schema schema;
	bool sums_callers;    /* a line has what was added in what it called: lines have no sum */
	bool counts_arenas;   /* the processes have small_bytes and small_arenas */
	bool counts_small;    /* ... and the parts of small_bytes */
	bool counts_resident; /* ... and rss_anon_bytes and so on */
	bool at_peak;	      /* ... and peak_bytes */
	struct profile_windows windows;
	struct profile_cost cost;
	time_t time;
	double duration_seconds; /* since the attach */
	double interval_seconds; /* that the changes cover */
	uint64_t map_bytes;	 /* kernel memory of the BPF maps */
	size_t nprocesses;
	struct profile_process *processes;
	struct profile_owned *owned; /* holds the memory of all of it */
};

enum line_order {
	BY_CHANGE,
	BY_VALUE,
};

/* In json, where lines have what was added in what they called. */
#define LINES_CUMULATIVE "cumulative"

/* Returns an empty profile, or NULL if out of memory. Free it with profile__free(). */
struct profile *profile__new(void);

/* NULL is allowed. */
void profile__free(struct profile *profile);

/* Allocates n zeroed elements that live as long as the profile. Returns NULL if out of memory. */
void *profile__alloc(struct profile *profile, size_t n, size_t size);

/* Return the profile's own copy of a string, and of a location; equal ones have the same copy. NULL
 * if out of memory. */
const char *profile__string(struct profile *profile, const char *string);
const struct location *profile__location(struct profile *profile, const struct location *location);

/* Sorts the lines of a process. profile__add_up() also sums them up as its totals. */
void profile__sort_lines(const struct profile *profile, struct profile_process *process,
			 enum line_order order);
void profile__add_up(const struct profile *profile, struct profile_process *process,
		     enum line_order order);

/* Resident memory that is no line's: with the lines', it adds up to RssAnon. */
struct profile_rest {
	const struct location *location; /* a name in brackets that lives for ever */
	int64_t bytes;
};

#define PROFILE_RESTS 4

/* Fills in what a process has of it, in a mode that counts resident memory. */
void profile_process__rests(const struct profile *profile, const struct profile_process *process,
			    struct profile_rest rests[PROFILE_RESTS]);

/* Returns the process's file of that name (the profile's string), or NULL if it was not read. */
const struct profile_file *profile_process__file(const struct profile_process *process,
						 const char *file);

/* Orders two lines by file, function and number; a module's lines come before those of its
 * functions. */
int profile_line__compare(const struct profile_line *a, const struct profile_line *b);

/* The name of a lost cause in outputs, and what it means to the user. */
const char *lost__name(enum lost_cause cause);
const char *lost__help(enum lost_cause cause);

/* "running", "exited", "execed" */
const char *process_state__name(enum process_state state);

#endif /* PROFILE_H */
