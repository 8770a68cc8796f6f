/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an object refers to: the words in it, and in its tables, that may be other objects'
 * addresses, each with its place. Of built-in containers the layout tells which they are, and what
 * of it is left over from earlier; of all others, each word is one. References that keep nothing
 * alive are left out: to the object's type, and weak ones.
 */
#ifndef REFERENCES_H
#define REFERENCES_H

#include <stdint.h>

#include "inspect/memory.h"
#include "inspect/sizes.h"

enum place_kind {
	PLACE_FIELD,	 /* n: the offset in the object */
	PLACE_NAMESPACE, /* the dict with the object's attributes, or a module's or type's names */
	PLACE_TABLE,	 /* a table of its own */
	PLACE_ITEM,	 /* n: the index */
	PLACE_ENTRY,	 /* a key or a value of a dict, or in a set */
	PLACE_VALUE,	 /* of an instance, n: the index among its type's cached keys */
	PLACE_LOCAL,	 /* a variable of a frame, n: the index; or what it computes with */
};

struct place {
	enum place_kind kind;
	uint32_t n;
};

/* Returns 0, or what ends the visit. */
typedef int (*reference_visitor)(void *context, uint64_t word, struct place place);

/* The object's bytes need only be its head and first fields. block: bytes from its address to the
 * end of its block. Returns 0, or what the visitor returned. */
int object__refer(const struct object *object, uint64_t block, const struct object_rules *rules,
		  struct memory *memory, reference_visitor visit, void *context);

/* Visits all words of a block that is no object; each place is PLACE_ITEM. */
int block__refer(uint64_t address, uint64_t bytes, struct memory *memory, reference_visitor visit,
		 void *context);

/* Visits the variables of a frame that the interpreter is in, and that runs that code. Since 3.11;
 * before, a frame is an object. */
int frame__refer(uint64_t frame, uint64_t code, const struct object_rules *rules,
		 struct memory *memory, reference_visitor visit, void *context);

/* Calls claim() with the address of each table that is part of the object: of those that sizes.h
 * finds, and of those that it need not know. */
int object__claim_tables(const struct object *object, const struct tables *tables,
			 const struct object_rules *rules, struct memory *memory,
			 int (*claim)(void *context, uint64_t address), void *context);

/* The address of the frame in a generator, or of a frame object; 0: none. */
uint64_t object__frame(const struct object *object, const struct object_rules *rules);

/* The code that a frame runs. */
uint64_t frame__code(uint64_t frame, const struct object_rules *rules, struct memory *memory);

/* Where a tuple's items begin: since 3.14 it keeps its hash before them. */
#define TUPLE_ITEMS(minor) ((minor) < 14 ? 24 : 32)

#endif /* REFERENCES_H */
