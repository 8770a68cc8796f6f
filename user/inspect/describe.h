/* SPDX-License-Identifier: BSD-2-Clause */
/* An object in a line: its attributes, or its items, with short values. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "inspect/names.h"

/* Returns a malloc'ed text, which may be empty; NULL: out of memory. */
char *describe__object(struct names *names, const struct heap *heap, uint32_t node);

#endif /* DESCRIBE_H */
