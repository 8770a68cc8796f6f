/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the Python type of the object in a slot of a pool: the word behind its reference count
 * points to it. What a process says about its types is checked, and only shown.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct type_table;

/* For one process. Returns NULL if out of memory. */
struct type_table *type_table__new(pid_t pid);
void type_table__free(struct type_table *types);

/* Returns the name of the type of the object in a slot of that many bytes, or "(no object)" if it
 * is none, such as a dict's table. The name lives as long as the types. */
const char *type_table__name(struct type_table *types, const uint8_t *slot, size_t size);

#endif /* TYPES_H */
