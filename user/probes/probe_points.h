/* SPDX-License-Identifier: BSD-2-Clause */
/* What is probed in a target, and where. */
#ifndef PROBE_POINTS_H
#define PROBE_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "probes/placement.h"
#include "probes/pymalloc.h"
#include "target/target.h"

struct known_places;

struct probe_point {
	const char *function; /* or marker */
	enum probe_kind kind;
	const struct target_file *file;
	uint64_t address; /* of the function, as linked */
	struct placement placement;
	bool returns;			  /* its return is probed too */
	uint64_t semaphore;		  /* file offset; 0: none */
	const struct marker_site *marker; /* NULL if it is no marker */
	struct pymalloc_site pymalloc;	  /* only with PROBE_POOL */
};

/* What a mode wants to probe, besides what attribution needs. */
struct probe_spec {
	bool allocators; /* their functions */
	bool privates;	 /* the same of allocators that files have inside */
	bool mappers;	 /* functions that map, unmap and move pages */
	bool pools;	 /* where pymalloc hands out slots */
	bool at_entry;	 /* probe the functions' first instructions */
};

/* Remembers where functions and their probes are, for other processes that map the same files. NULL
 * if memory is short. */
struct known_places *known_places__new(void);
void known_places__free(struct known_places *known);

/*
 * Lists all points of a target: those in spec, and code_dealloc() or the markers, whichever its
 * attribution needs. Where a target has loaded more, they are the same and more at the end. 0, the
 * points, which the caller frees and which refer to the target, and their number, or -errno.
 */
int probe_points__list(const struct target *target, const struct probe_spec *spec,
		       struct known_places *known, struct probe_point **points, size_t *n);

/* Prints a target's points. 0 or -errno. */
int probe_points__explain(const struct target *target, const struct probe_spec *spec, FILE *out);

#endif /* PROBE_POINTS_H */
