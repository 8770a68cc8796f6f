/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a process's resident memory is, and how much of it its allocators have free. */
#ifndef RESIDENCE_H
#define RESIDENCE_H

#include "inspect/malloc_heaps.h"

struct residence {
	uint64_t files, shared, anonymous; /* they are the resident memory, all of it */
	uint64_t pools, pools_used; /* of anonymous: pymalloc's pools; slots that are taken */
	struct malloc_heaps malloc; /* of anonymous */
};

/* What is anonymous and neither in pools nor in heaps of malloc: large blocks, which malloc maps
 * one by one, other allocators' memory, stacks, static data. */
uint64_t residence__others(const struct residence *residence);

#endif /* RESIDENCE_H */
