/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of an address space, in ascending order. */
#ifndef EXTENTS_H
#define EXTENTS_H

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t start, end; /* end: one past the last byte */
};

/* All zero: none. */
struct extents {
	struct extent *extents;
	size_t n;
	size_t at; /* where the last search ended: callers mostly ask in ascending order */
};

/* Adds one that lies above all others. Returns 0 or -ENOMEM. */
int extents__add(struct extents *extents, uint64_t start, uint64_t end);

/* Forgets all; what they have of memory is used again. */
void extents__empty(struct extents *extents);
void extents__free(struct extents *extents);

/* Returns the index of the first that ends beyond the address, n if there is none. */
size_t extents__first_beyond(struct extents *extents, uint64_t address);

/* Returns the one around the address; NULL: there is none. */
const struct extent *extents__around(struct extents *extents, uint64_t address);

#endif /* EXTENTS_H */
