/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Python types of the objects in a process's memory: the word behind an object's reference
 * count points to its type. What a process says about its types is checked, and only shown.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/types.h>

#include "target/address_space.h"

/* PyObject: ob_type, in all builds but free-threaded and reference-tracing ones. */
#define OBJECT_TYPE 8
#define OBJECT_HEAD 16

/* What of its own a type's objects have outside, or count in a way of their own. A subclass has
 * its base's kind. */
enum type_kind {
	KIND_PLAIN, /* basic size, and items if it has any */
	KIND_INT,
	KIND_STR,
	KIND_BYTES,
	KIND_LIST,
	KIND_DICT,
	KIND_SET,
	KIND_BYTEARRAY,
	KIND_ARRAY,
	KIND_NDARRAY,
	KIND_FRAME, /* generators and frames: their own size is not known from outside */
	KIND_TUPLE,
	KIND_TYPE,
	KIND_MODULE,
	KIND_DEQUE,
	KIND_WEAKREF,
	KIND_CODE,
};

struct type {
	uint64_t address;
	const char *name;	       /* no_object: not a type */
	int64_t basic_size, item_size; /* bytes */
	uint64_t flags;		       /* tp_flags */
	int64_t dict, weakrefs;	       /* offsets in an object; 0: none; dict < 0: from its end */
	uint64_t members, base;	       /* tp_members and tp_base, addresses */
	uint64_t namespace;	       /* tp_dict of a class made at run time; 0: of no other */
	enum type_kind kind;
	size_t number; /* from 0, in the order in which they were met */
	char text[96];
};

struct type_table;

/* For one process. Returns NULL if out of memory. */
struct type_table *type_table__new(struct address_space space);
void type_table__free(struct type_table *types);

/* Returns the type of the object at the beginning of these bytes, or NULL if none begins there: a
 * live object has references, and a type. It lives as long as the types. */
const struct type *type_table__of_object(struct type_table *types, const uint8_t *bytes);

/* The same of a slot of that many bytes, in which the object may lie behind heads of the garbage
 * collector's and the interpreter's; *head receives how many bytes. */
const struct type *type_table__of_slot(struct type_table *types, const uint8_t *slot, size_t size,
				       size_t *head);

/* Returns the name of the type of the object in a slot, or "(no object)" if it is none, such as a
 * dict's table. */
const char *type_table__name(struct type_table *types, const uint8_t *slot, size_t size);

/* Bytes that lie before an object of the type, in the same block (_PyType_PreHeaderSize() in
 * Objects/object.c, 3.11; before, only the garbage collector's head). */
size_t type__head(const struct type *type);

/* Whether an object in a slot is dead, and waits on a free list to be used again; of a type that
 * was met already. */
bool type_table__is_dead(const struct type_table *types, const uint8_t *slot, size_t size);

/* The type with a number below n, or at an address; NULL: none. */
const struct type *type_table__numbered(const struct type_table *types, size_t number);
const struct type *type_table__at(struct type_table *types, uint64_t address);

/* Whether the type's instances have a dict, or values, that the interpreter keeps in front of them
 * (3.11 and later); and, from 3.13 on, values at their end. */
bool type__has_managed_dict(const struct type *type);
bool type__has_inline_values(const struct type *type);

/* Whether the type's objects hold no pointers to others. */
bool type__is_opaque(const struct type *type);

#endif /* TYPES_H */
