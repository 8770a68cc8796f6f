/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where classes are defined. Since 3.13 a class says so itself. Before, it is where the first of
 * its functions begins, or, where the source can be read, the "class" above that.
 */
#ifndef DEFINITIONS_H
#define DEFINITIONS_H

#include "base/arena.h"
#include "inspect/reach.h"
#include "target/readers.h"

struct definition {
	const char *file;  /* in the arena; NULL: not known, or not Python's */
	unsigned int line; /* 0: not known */
};

struct definitions;

/* Finds the modules among the heap's nodes. reader: of the process's sources, as seen from cwd;
 * NULL: they are not read. Nothing is owned. NULL: out of memory. */
struct definitions *definitions__new(struct heap *heap, struct arena *texts, struct reader *reader,
				     const char *cwd);
void definitions__free(struct definitions *definitions);

struct definition definitions__find(struct definitions *definitions, const struct type *type);

#endif /* DEFINITIONS_H */
