/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds a process's memory: objects that are reached on the same path and have the same type,
 * with what they alone keep alive. A tree, as each lies in what another keeps alive.
 */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "inspect/paths.h"
#include "inspect/retained.h"

struct holder {
	char *path;	  /* UTF-8; "" of the topmost, which stands for the whole process */
	const char *type; /* lives as long as the heap's types */
	uint64_t count;
	uint64_t bytes;		 /* their own, with their tables */
	uint64_t retained_bytes; /* with all that only they keep alive */
	struct holder *holders;	 /* by retained_bytes, the largest first */
	size_t nholders;
};

/* A part of all that holds less is left out: one in so many. */
#define LEAST_HOLDER 2000

/* Returns 0, -ENOMEM, or -EINTR if a signal was caught since signals__count() was that. */
int holders__find(const struct heap *heap, const struct graph *graph,
		  const struct retained *retained, struct paths *paths, int signals,
		  struct holder **all);

/* Its path, without the beginning that it has in common with the one that it is in; NULL: in none.
 */
const char *holder__path_in(const struct holder *holder, const struct holder *above);

/* NULL is fine. */
void holders__free(struct holder *all);

#endif /* HOLDERS_H */
