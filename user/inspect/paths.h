/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways from the roots to objects, as Python would write them: "app.sessions{*}.user". Objects that
 * differ only by an index are reached on the same path; so are those of a chain: "app.first.next*".
 */
#ifndef PATHS_H
#define PATHS_H

#include "inspect/names.h"

struct paths;

/* Neither the heap nor the graph is owned. Returns 0 or -ENOMEM. */
int paths__new(struct heap *heap, const struct graph *graph, struct paths **paths);
void paths__free(struct paths *paths);

/* Returns the number of the path of a node that is reached, or -ENOMEM. */
int64_t paths__of(struct paths *paths, uint32_t node);

/* Finds the paths to all parents of these nodes, those of equal distance together: names are found
 * for one parent at a time, and many nodes of a type have parents with the same parent. 0 or
 * -ENOMEM. */
int paths__prepare(struct paths *paths, const uint32_t *nodes, size_t n);

/* Whether a node, whose path was asked for, is the dict with the attributes of what refers to it.
 */
bool paths__is_namespace(const struct paths *paths, uint32_t node);

/* Returns a path as text, malloc'ed; NULL: out of memory. */
char *paths__text(const struct paths *paths, uint32_t path);

#endif /* PATHS_H */
