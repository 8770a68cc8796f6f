/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks with a weight, drawn as a flame graph: merged from their outermost frames on. */
#ifndef BRANCHES_H
#define BRANCHES_H

#include "base/arena.h"
#include "render/flame.h"
#include "render/renderer.h"

/* A stack, or what is no line's. */
struct branch {
	const struct location *const *frames; /* leaf first */
	size_t nframes;
	uint64_t weight;
	uint64_t before; /* what it weighed in an earlier profile */
	int64_t blocks;	 /* 0: not said */
};

/* Starts all zero. */
struct branches {
	struct branch *of;
	size_t n, room;
	uint64_t weight, before; /* of all */
	struct arena *names;	 /* of what is no line's */
};

/* Adds a process's stacks, and what is no line's: as they are now, or as they were before. The
 * profile outlives them. 0 or -ENOMEM. */
int branches__add(struct branches *branches, const struct profile *profile,
		  const struct profile_process *process, enum weight by, bool before);

/* Sorts them by their frames' names, the outermost first. */
void branches__sort(struct branches *branches);

void branches__free(struct branches *branches);

/* By their frames' names: 0 if they are the same. */
int branch__compare(const struct branch *a, const struct branch *b);

/* Draws them, sorted, above a box of that name at a depth and a start. own: whose code is the
 * program's. 0 or -ENOMEM. */
int branches__draw(const struct branches *branches, const struct own_code *own, const char *cmdline,
		   struct flame *flame, const char *name, unsigned int depth, uint64_t start);

#endif /* BRANCHES_H */
