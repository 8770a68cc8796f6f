/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many bytes an object takes, with the tables that are its own, as sys.getsizeof() counts:
 * what the types' own __sizeof__() do, in Objects/ and Modules/ of CPython 3.8 to 3.15.
 */
#ifndef SIZES_H
#define SIZES_H

#include <stdint.h>

#include "inspect/memory.h"
#include "inspect/types.h"
#include "pymemtop.h"

/* Where this CPython keeps what the sizes need. */
struct object_rules {
	unsigned int minor; /* of its version */
	const struct py_layout *layout;
};

/* Of an object as read: at least its basic size, or all of its block if that is less. */
struct object {
	const struct type *type;
	uint64_t address;
	const uint8_t *bytes;
	size_t n; /* bytes that were read */
};

/* What an object has outside: memory of its own, or shared, as a dict's keys. */
struct table {
	uint64_t address, bytes;
	bool is_shared;	   /* does not count */
	bool has_pointers; /* to other objects */
};

#define MOST_TABLES 2

struct tables {
	struct table of[MOST_TABLES];
	size_t n;
};

/* Returns the bytes of the object, with the heads before it and its tables; 0 if it contradicts
 * itself: then it is none. */
uint64_t object__size(const struct object *object, const struct object_rules *rules,
		      struct memory *memory, struct tables *tables);

/* Returns the bytes of the object itself, without heads and tables. */
uint64_t object__extent(const struct object *object, const struct object_rules *rules);

#endif /* SIZES_H */
