/* SPDX-License-Identifier: BSD-2-Clause */
/* A mode: a question to the targets, how it is collected, and what the answer's values are. A
 * new one is a file, and a line in modes.c. */
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
	const char *warning;  /* what it costs, where that hurts; else NULL */
	bool by_line;	      /* its sites are lines, which --function and --file choose */
	bool switchable;      /* top can change to it, and from it */
	bool counts_small;    /* ... small_bytes and its parts */
	bool counts_arenas;   /* ... small_bytes and small_arenas only */
	bool counts_resident; /* of its snapshots' counters, before_bytes and anon_bytes are there
			       */
	const char *renderer; /* its default; NULL: the first */
	const struct collector_type *collector;
};

#endif /* MODE_H */
