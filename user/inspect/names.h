/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How Python would write what an object refers to: ".attribute", "['key']", "[*]" for any item of
 * a sequence, "{*}" for any value of a large dict or any element of a set, ".?" for what is not
 * known by name. "": it is reached as if it were the object itself, like a module's dict.
 */
#ifndef NAMES_H
#define NAMES_H

#include "inspect/reach.h"

struct names;

/* Neither the heap nor the graph is owned. NULL: out of memory. */
struct names *names__new(struct heap *heap, const struct graph *graph);
void names__free(struct names *names);

/*
 * Returns how a node is reached from its parent in the graph. Equal texts are the same pointer,
 * which lives as long as the names. is_namespace: the parent is a dict with the attributes of what
 * refers to it. NULL: out of memory. Fastest if all children of a parent follow each other.
 */
const char *names__of(struct names *names, uint32_t node, bool is_namespace);

/* Visits all that an object refers to and that has a name of its own, in the order of its fields.
 */
void names__visit(struct names *names, uint32_t node, bool is_namespace,
		  void (*visit)(void *context, const char *name, uint64_t address), void *context);

extern const char names__itself[]; /* "" */

#endif /* NAMES_H */
