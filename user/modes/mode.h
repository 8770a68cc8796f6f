/* SPDX-License-Identifier: BSD-2-Clause */
/* A mode: a question about the targets, the collector that answers it, and the answer's values. To
 * add one, write a file and add a line to modes.c. */
#ifndef MODE_H
#define MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/collector.h"
#include "profile/values.h"

struct mode {
	const char *name;
	const char *help;
	const struct schema *schema;
	const char *warning; /* what it costs, if that hurts; else NULL */
	bool by_line;	     /* its profiles are of lines, which --function and --file select */
	bool sums_callers;   /* a line has what was added in what it called, too */
	bool needs_markers;  /* its sites are lines, which only CPython's markers tell */
	const struct mode *with_markers; /* what --markers makes of it; else NULL */
	bool can_pause;			 /* --max-overhead: its probes cost, and not its books */
	bool switchable;		 /* top can change to and from it */
	bool counts_small;		 /* its snapshots have small_bytes and its parts */
	bool counts_arenas;		 /* ... small_bytes and small_arenas */
	bool counts_resident;		 /* ... before_bytes and anon_bytes */
	const char *renderer;		 /* its default renderer; NULL: the first */
	const struct collector_type *collector;
};

#endif /* MODE_H */
