/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which Python type a slot of a pool holds an object of: by the word behind a reference count that
 * points to a type. What a process says of its types is checked, and only shown.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct type_table;

/* Of a process. NULL where memory is short. */
struct type_table *type_table__new(pid_t pid);
void type_table__free(struct type_table *types);

/* The name of the type of what is in a slot of that many bytes; "(no object)" where it is none, as
 * a dict's table. Lives as long as the types. */
const char *type_table__name(struct type_table *types, const uint8_t *slot, size_t size);

#endif /* TYPES_H */
