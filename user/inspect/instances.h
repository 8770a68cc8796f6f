/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects of one type: how many, on which paths they are reached, and what some of them are. */
#ifndef INSTANCES_H
#define INSTANCES_H

#include "inspect/paths.h"
#include "inspect/retained.h"

struct instances_path {
	char *path;
	uint64_t count, bytes, retained_bytes;
};

#define SAMPLES 5

struct instances {
	const char *type;	 /* as it was asked for */
	uint64_t count, bytes;	 /* bytes: allocated for them alone */
	uint64_t retained_bytes; /* what they together keep alive, as far as one alone does */
	uint64_t unreached; /* of them, that nothing was found to lead to: just made, or freed */
	struct instances_path *paths; /* by count, the largest first */
	size_t npaths;
	char *samples[SAMPLES]; /* attributes with short values */
	size_t nsamples;
};

/* type: the whole name that Python knows, or what follows its last dot. Returns 0 or -ENOMEM. */
int instances__find(struct heap *heap, const struct graph *graph, const struct retained *retained,
		    struct paths *paths, const char *type, struct instances **instances);
void instances__free(struct instances *instances);

#endif /* INSTANCES_H */
