/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes what inspect has found. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stddef.h>
#include <stdio.h>

#include "inspect/inspected.h"

/* For people, of one process: the top types, and the top holders. */
void objects_report__print(FILE *out, const struct inspected *inspected, size_t top);

/* pymemtop.objects/1, of all processes that have not ended. Returns 0 or -errno. */
int objects_json__print(FILE *out, const struct inspected *all, size_t n);

#endif /* OBJECTS_H */
