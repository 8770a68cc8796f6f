/* SPDX-License-Identifier: BSD-2-Clause */
/* What each node of a process's graph alone keeps alive. */
#ifndef RETAINED_H
#define RETAINED_H

#include "inspect/dominators.h"
#include "inspect/reach.h"

struct retained {
	struct dominators dominators;
	uint64_t *bytes; /* by node, its own included */
	/* The nodes of which node i is the nearest dominator: members[first[i]] to that of the
	 * next. */
	uint32_t *first, *members;
};

/* Frees the graph's edges. Returns 0 or -ENOMEM; what there is is freed in either case by: */
int retained__new(const struct heap *heap, struct graph *graph, struct retained *retained);
void retained__free(struct retained *retained);

#endif /* RETAINED_H */
