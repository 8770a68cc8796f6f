// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "inspect/dict_keys.h"
#include "inspect/sizes.h"

/* PyVarObject */
#define OB_SIZE 16
/* PyListObject: ob_item, allocated. PyByteArrayObject: ob_alloc, ob_bytes. */
#define LIST_ITEMS	    24
#define LIST_ALLOCATED	    32
#define BYTEARRAY_ALLOCATED 24
#define BYTEARRAY_BYTES	    32
/* arrayobject and struct arraydescr, Modules/arraymodule.c */
#define ARRAY_ITEMS	24
#define ARRAY_ALLOCATED 32
#define ARRAY_DESCR	40
#define DESCR_ITEM_SIZE 4
/* PyArrayObject_fields and PyArray_Descr, numpy/_core/include/numpy/ndarraytypes.h: data, ndim,
 * dimensions, descr, flags; elsize and alignment of numpy 1, elsize of numpy 2. */
#define NDARRAY_DATA	   16
#define NDARRAY_NDIM	   24
#define NDARRAY_DIMENSIONS 32
#define NDARRAY_DESCR	   56
#define NDARRAY_FLAGS	   64
#define NDARRAY_OWNS_DATA  4
#define MOST_DIMENSIONS	   64
#define ELSIZE_1	   32
#define ALIGNMENT_1	   36
#define ELSIZE_2	   40
/* PySetObject: mask, table, smalltable; struct setentry. */
#define SET_MASK	32
#define SET_TABLE	40
#define SET_SMALL_TABLE 64
#define SET_ENTRY	16
/* PyLongObject: the digits. 30 bits take 4 bytes. */
#define INT_DIGITS 24

/* Nothing is larger. */
#define MOST_BYTES (1ULL << 46)

static uint64_t word_of(const struct object *object, size_t offset)
{
	uint64_t word = 0;

	if (offset + sizeof(word) <= object->n)
		memcpy(&word, object->bytes + offset, sizeof(word));
	return word;
}

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

/* n times size; more than MOST_BYTES where that is too many. */
static uint64_t times(uint64_t n, uint64_t size)
{
	return n > MOST_BYTES ? MOST_BYTES + 1 : n * size;
}

static uint64_t int_extent(const struct object *object, const struct object_rules *rules)
{
	int64_t size = word_of(object, OB_SIZE);
	uint64_t digits = rules->minor < 12 ? magnitude(size) : (uint64_t)size >> 3;

	/* Since 3.11 zero has a digit, too. */
	if (!digits && rules->minor >= 11)
		digits = 1;
	return INT_DIGITS + times(digits, 4);
}

/* PyUnicodeObject, and what comes before it in it. */
static uint64_t str_extent(const struct object *object, const struct object_rules *rules)
{
	const struct py_layout *l = rules->layout;
	uint32_t state = word_of(object, l->str_state);
	uint64_t length = word_of(object, l->str_length);
	unsigned int kind = state >> l->str_kind_shift & 7;

	if (!(state >> l->str_compact_shift & 1))
		return l->str_compact_data + 8;
	if (state >> l->str_ascii_shift & 1)
		return l->str_ascii_data + times(length + 1, 1);
	return l->str_compact_data + times(length + 1, kind);
}

uint64_t object__extent(const struct object *object, const struct object_rules *rules)
{
	const struct type *type = object->type;

	switch (type->kind) {
	case KIND_INT:
		return int_extent(object, rules);
	case KIND_STR:
		return str_extent(object, rules);
	case KIND_FRAME:
		return type->basic_size;
	default:
		return type->basic_size +
		       (type->item_size > 0
				? times(magnitude(word_of(object, OB_SIZE)), type->item_size)
				: 0);
	}
}

/* Adds a table of n times size bytes. False if it is not there: this is no object of that kind. */
static bool add_table(struct tables *tables, struct memory *memory, uint64_t address, uint64_t n,
		      uint64_t size, bool has_pointers)
{
	const struct memory_range *range = memory__range_of(memory, address);
	uint64_t bytes = times(n, size);

	if (!bytes)
		return true;
	if (!range || bytes > range->end - address)
		return false;
	tables->of[tables->n++] =
		(struct table){.address = address, .bytes = bytes, .has_pointers = has_pointers};
	return true;
}

/* A str's UTF-8, if it is not in the str itself; the characters of one that is not compact. */
static bool find_str_tables(const struct object *object, const struct object_rules *rules,
			    struct memory *memory, struct tables *tables)
{
	const struct py_layout *l = rules->layout;
	uint32_t state = word_of(object, l->str_state);
	uint64_t data = object->address + l->str_compact_data, utf8;

	if (state >> l->str_compact_shift & state >> l->str_ascii_shift & 1)
		return true;
	if (!(state >> l->str_compact_shift & 1)) {
		data = word_of(object, l->str_compact_data);
		if (data && !add_table(tables, memory, data, word_of(object, l->str_length) + 1,
				       state >> l->str_kind_shift & 7, false))
			return false;
	}
	/* PyCompactUnicodeObject: utf8_length and utf8 lie behind the PyASCIIObject. */
	utf8 = word_of(object, l->str_ascii_data + 8);
	return !utf8 || utf8 == data ||
	       add_table(tables, memory, utf8, word_of(object, l->str_ascii_data) + 1, 1, false);
}

/* _PyDict_SizeOf(): keys that other dicts share are not counted. */
static bool find_dict_tables(const struct object *object, const struct object_rules *rules,
			     struct memory *memory, struct tables *tables)
{
	uint64_t at = word_of(object, DICT_KEYS), values = word_of(object, DICT_VALUES);
	struct dict_keys keys;

	if (!dict_keys__read(memory, at, rules->minor, &keys))
		return false;
	if (values && !add_table(tables, memory, values, keys.values, 8, true))
		return false;
	/* Those of an empty dict are static, and need not be in memory that is written to. */
	if (!add_table(tables, memory, at, keys.bytes, 1, true))
		return keys.references != 1;
	tables->of[tables->n - 1].is_shared = keys.references != 1;
	return true;
}

static bool find_array_tables(const struct object *object, struct memory *memory,
			      struct tables *tables)
{
	uint32_t size;

	return memory__read(memory, word_of(object, ARRAY_DESCR) + DESCR_ITEM_SIZE, &size,
			    sizeof(size)) &&
	       add_table(tables, memory, word_of(object, ARRAY_ITEMS),
			 word_of(object, ARRAY_ALLOCATED), size, false);
}

/* Bytes of an item. Where numpy 1 keeps the alignment, numpy 2 has flags that nobody uses yet. */
static uint64_t item_size(struct memory *memory, uint64_t descr)
{
	uint32_t size = 0, alignment = 0;
	uint64_t wide = 0;

	if (!memory__read(memory, descr + ELSIZE_1, &size, sizeof(size)) ||
	    !memory__read(memory, descr + ALIGNMENT_1, &alignment, sizeof(alignment)) ||
	    !memory__read(memory, descr + ELSIZE_2, &wide, sizeof(wide)))
		return 0;
	return alignment ? size : wide;
}

/* array_sizeof() in numpy/_core/src/multiarray/methods.c: the data is its owner's, not each view's.
 * Dimensions and strides are one table. */
static bool find_ndarray_tables(const struct object *object, struct memory *memory,
				struct tables *tables)
{
	uint32_t ndim = word_of(object, NDARRAY_NDIM), flags = word_of(object, NDARRAY_FLAGS), i;
	uint64_t dimensions[MOST_DIMENSIONS], n = 1;

	if (ndim > MOST_DIMENSIONS ||
	    !memory__read(memory, word_of(object, NDARRAY_DIMENSIONS), dimensions, 8 * ndim) ||
	    !add_table(tables, memory, word_of(object, NDARRAY_DIMENSIONS), ndim, 16, false))
		return false;
	for (i = 0; i < ndim; i++) {
		if (dimensions[i] && n > MOST_BYTES / dimensions[i])
			return false;
		n *= dimensions[i];
	}
	return !(flags & NDARRAY_OWNS_DATA) ||
	       add_table(tables, memory, word_of(object, NDARRAY_DATA), n,
			 item_size(memory, word_of(object, NDARRAY_DESCR)), true);
}

static bool find_tables(const struct object *object, const struct object_rules *rules,
			struct memory *memory, struct tables *tables)
{
	switch (object->type->kind) {
	case KIND_STR:
		return find_str_tables(object, rules, memory, tables);
	case KIND_LIST:
		return add_table(tables, memory, word_of(object, LIST_ITEMS),
				 word_of(object, LIST_ALLOCATED), 8, true);
	case KIND_DICT:
		return find_dict_tables(object, rules, memory, tables);
	case KIND_SET:
		return word_of(object, SET_TABLE) == object->address + SET_SMALL_TABLE ||
		       add_table(tables, memory, word_of(object, SET_TABLE),
				 word_of(object, SET_MASK) + 1, SET_ENTRY, true);
	case KIND_BYTEARRAY:
		/* Since 3.15 its bytes are a bytes object, which counts as one. */
		return rules->minor >= 15 ||
		       add_table(tables, memory, word_of(object, BYTEARRAY_BYTES),
				 word_of(object, BYTEARRAY_ALLOCATED), 1, false);
	case KIND_ARRAY:
		return find_array_tables(object, memory, tables);
	case KIND_NDARRAY:
		return find_ndarray_tables(object, memory, tables);
	default:
		return true;
	}
}

uint64_t object__size(const struct object *object, const struct object_rules *rules,
		      struct memory *memory, struct tables *tables)
{
	uint64_t bytes = object__extent(object, rules);
	size_t i;

	tables->n = 0;
	if (object->type->basic_size < 16 || bytes > MOST_BYTES ||
	    !find_tables(object, rules, memory, tables))
		return 0;
	for (i = 0; i < tables->n; i++) {
		if (!tables->of[i].is_shared)
			bytes += tables->of[i].bytes;
	}
	return bytes + type__head(object->type);
}
