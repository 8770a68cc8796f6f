// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "inspect/types.h"

/* Of one process: a program has some thousands. */
#define MOST_TYPES 65536

/* Addresses that were found to be no types, the last of each hash: whatever is no object can look
 * as if it pointed to one. */
#define MOST_OTHERS 65536

/* PyObject and PyTypeObject in Include/object.h and Include/cpython/object.h, the same from 3.8 to
 * 3.15. */
#define TYPE_NAME	24
#define TYPE_BASIC_SIZE 32
#define TYPE_ITEM_SIZE	40
#define TYPE_FLAGS	168
#define TYPE_WEAKREFS	208
#define TYPE_MEMBERS	240
#define TYPE_BASE	256
#define TYPE_NAMESPACE	264
#define TYPE_DICT	288

/* tp_flags, Include/object.h. The three of 3.11 and later mean nothing before. */
#define HAS_INLINE_VALUES    (1 << 2)  /* Py_TPFLAGS_INLINE_VALUES, 3.13 */
#define HAS_MANAGED_WEAKREFS (1 << 3)  /* Py_TPFLAGS_MANAGED_WEAKREF, 3.12 */
#define HAS_MANAGED_DICT     (1 << 4)  /* Py_TPFLAGS_MANAGED_DICT, 3.11 */
#define IS_HEAP_TYPE	     (1 << 9)  /* Py_TPFLAGS_HEAPTYPE */
#define HAS_GC		     (1 << 14) /* Py_TPFLAGS_HAVE_GC */
#define GC_HEAD		     16
#define MANAGED_HEAD	     16

/* Where an object begins in its slot: at once; behind the garbage collector's head of two words; or
 * behind that and two more words (3.11 and later: its dict and weak references). */
static const size_t heads[] = {0, 16, 32};

#define MANY_REFERENCES 0xffff00000000ULL

/* The deepest chain of bases that is climbed. */
#define MOST_BASES 32

static const char no_object[] = "(no object)";

struct type_table {
	struct address_space space;
	void *tree; /* a <search.h> tree */
	size_t n;
	const struct type *numbered[MOST_TYPES];
	uint64_t others[MOST_OTHERS];
};

struct type_table *type_table__new(struct address_space space)
{
	struct type_table *types = calloc(1, sizeof(*types));

	if (types)
		types->space = space;
	return types;
}

void type_table__free(struct type_table *types)
{
	if (types)
		tdestroy(types->tree, free);
	free(types);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct type *)a)->address, y = ((const struct type *)b)->address;

	return x < y ? -1 : x > y;
}

static uint64_t word_at(const struct type_table *types, uint64_t address)
{
	uint64_t word;

	return address_space__read(types->space, address, &word, sizeof(word)) ? 0 : word;
}

/* A type's type is type, or a subclass of it; type's own type is itself. */
static bool is_type(const struct type_table *types, uint64_t address)
{
	uint64_t meta = word_at(types, address + OBJECT_TYPE);
	uint64_t above = meta ? word_at(types, meta + OBJECT_TYPE) : 0;
	int64_t size = word_at(types, address + TYPE_BASIC_SIZE);

	return above && word_at(types, above + OBJECT_TYPE) == above && size >= 16 &&
	       size < 1 << 20;
}

/* Reads the name up to its NUL, and makes it printable. Returns whether there is one. */
static bool read_name(const struct type_table *types, struct type *type)
{
	uint64_t name = word_at(types, type->address + TYPE_NAME);
	size_t n;

	/* Near the end of a mapping, read only 16 bytes. */
	if (!name || (address_space__read(types->space, name, type->text, sizeof(type->text) - 1) &&
		      address_space__read(types->space, name, type->text, 16)))
		return false;
	type->text[sizeof(type->text) - 1] = '\0';
	n = strlen(type->text);
	utf8_keep_ascii(type->text);
	return n > 0;
}

/* Py_TPFLAGS_..._SUBCLASS, Include/object.h. */
static const struct {
	unsigned int bit;
	enum type_kind kind;
} flagged_kinds[] = {
	{24, KIND_INT}, {25, KIND_LIST}, {26, KIND_TUPLE}, {27, KIND_BYTES},
	{28, KIND_STR}, {29, KIND_DICT}, {31, KIND_TYPE},
};

/* Types that no flag tells, nor their subclasses. */
static const struct {
	const char *name;
	enum type_kind kind;
} named_kinds[] = {
	{"set", KIND_SET},
	{"frozenset", KIND_SET},
	{"bytearray", KIND_BYTEARRAY},
	{"array.array", KIND_ARRAY},
	{"numpy.ndarray", KIND_NDARRAY},
	{"generator", KIND_FRAME},
	{"coroutine", KIND_FRAME},
	{"async_generator", KIND_FRAME},
	{"frame", KIND_FRAME},
	{"module", KIND_MODULE},
	{"collections.deque", KIND_DEQUE},
	{"code", KIND_CODE},
	{"weakref", KIND_WEAKREF}, /* before 3.12 */
	{"weakref.ReferenceType", KIND_WEAKREF},
	{"weakproxy", KIND_WEAKREF},
	{"weakcallableproxy", KIND_WEAKREF},
	{"weakref.ProxyType", KIND_WEAKREF},
	{"weakref.CallableProxyType", KIND_WEAKREF},
};

static enum type_kind kind_of(const struct type_table *types, const struct type *type)
{
	uint64_t at = type->address;
	struct type base = *type;
	size_t i, n;

	for (i = 0; i < sizeof(flagged_kinds) / sizeof(flagged_kinds[0]); i++) {
		if (type->flags >> flagged_kinds[i].bit & 1)
			return flagged_kinds[i].kind;
	}
	for (n = 0; n < MOST_BASES && at; n++) {
		base.address = at;
		if (!read_name(types, &base))
			break;
		for (i = 0; i < sizeof(named_kinds) / sizeof(named_kinds[0]); i++) {
			if (!strcmp(base.text, named_kinds[i].name))
				return named_kinds[i].kind;
		}
		at = word_at(types, at + TYPE_BASE);
	}
	return KIND_PLAIN;
}

static bool describe(struct type_table *types, struct type *type)
{
	if (!is_type(types, type->address) || !read_name(types, type))
		return false;
	type->name = type->text;
	type->basic_size = word_at(types, type->address + TYPE_BASIC_SIZE);
	type->item_size = word_at(types, type->address + TYPE_ITEM_SIZE);
	type->flags = word_at(types, type->address + TYPE_FLAGS);
	type->dict = word_at(types, type->address + TYPE_DICT);
	type->weakrefs = word_at(types, type->address + TYPE_WEAKREFS);
	type->members = word_at(types, type->address + TYPE_MEMBERS);
	type->base = word_at(types, type->address + TYPE_BASE);
	if (type->flags & IS_HEAP_TYPE)
		type->namespace = word_at(types, type->address + TYPE_NAMESPACE);
	type->kind = kind_of(types, type);
	type->number = types->n;
	return true;
}

/* NULL: it is no type. */
static const struct type *find_type(struct type_table *types, uint64_t address)
{
	uint64_t *other = &types->others[(address >> 4) % MOST_OTHERS];
	struct type type = {.address = address}, **known, *made;

	if (*other == address)
		return NULL;
	known = tfind(&type, &types->tree, compare);
	if (known)
		return *known;
	if (types->n == MOST_TYPES || !describe(types, &type)) {
		*other = address;
		return NULL;
	}
	made = malloc(sizeof(*made));
	if (!made)
		return NULL;
	*made = type;
	made->name = made->text;
	if (!tsearch(made, &types->tree, compare)) {
		free(made);
		return NULL;
	}
	types->numbered[types->n++] = made;
	return made;
}

const struct type *type_table__of_object(struct type_table *types, const uint8_t *bytes)
{
	uint64_t words[2];

	memcpy(words, bytes, sizeof(words));
	/* A live object has references, fewer than 2^32 (3.14 has flags above 48 bits): one on a
	 * free list has none, or a pointer there; and types are aligned. */
	if (!(uint32_t)words[0] || words[0] & MANY_REFERENCES || words[1] < 4096 || words[1] & 7 ||
	    words[1] >= 1ULL << 52)
		return NULL;
	return find_type(types, words[1]);
}

/* What a debugging allocator puts before a block: the size, a letter, and seven bytes that nobody
 * may overwrite (_PyMem_DebugRawAlloc() in Objects/obmalloc.c). */
#define DEBUG_HEAD 16

static bool is_debug_block(const uint8_t *slot, size_t size)
{
	static const uint8_t forbidden[] = {0xfd, 0xfd, 0xfd, 0xfd, 0xfd, 0xfd, 0xfd};

	return size > DEBUG_HEAD && !memcmp(slot + 9, forbidden, sizeof(forbidden));
}

const struct type *type_table__of_slot(struct type_table *types, const uint8_t *slot, size_t size,
				       size_t *head)
{
	size_t before = is_debug_block(slot, size) ? DEBUG_HEAD : 0, i;
	const struct type *type;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		*head = before + heads[i];
		if (*head + 2 * sizeof(uint64_t) > size)
			break;
		type = type_table__of_object(types, slot + *head);
		/* A table of pointers can look like an object, but of a type with another head. */
		if (type && type__head(type) == heads[i])
			return type;
	}
	return NULL;
}

const char *type_table__name(struct type_table *types, const uint8_t *slot, size_t size)
{
	size_t head;
	const struct type *type = type_table__of_slot(types, slot, size, &head);

	return type ? type->name : no_object;
}

/* Subclasses that Python code makes have attributes, and are known to the garbage collector. */
bool type__is_opaque(const struct type *type)
{
	return !(type->flags & HAS_GC) &&
	       (type->kind == KIND_INT || type->kind == KIND_STR || type->kind == KIND_BYTES);
}

size_t type__head(const struct type *type)
{
	return (type->flags & HAS_GC ? GC_HEAD : 0) +
	       (type->flags & (HAS_MANAGED_DICT | HAS_MANAGED_WEAKREFS) ? MANAGED_HEAD : 0);
}

bool type_table__is_dead(const struct type_table *types, const uint8_t *slot, size_t size)
{
	size_t before = is_debug_block(slot, size) ? DEBUG_HEAD : 0, i, head;
	struct type key, **known;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		head = before + heads[i];
		if (head + 2 * sizeof(key.address) > size)
			break;
		memcpy(&key.address, slot + head + OBJECT_TYPE, sizeof(key.address));
		known = tfind(&key, &types->tree, compare);
		if (known && type__head(*known) == heads[i])
			return true;
	}
	return false;
}

const struct type *type_table__numbered(const struct type_table *types, size_t number)
{
	return number < types->n ? types->numbered[number] : NULL;
}

const struct type *type_table__at(struct type_table *types, uint64_t address)
{
	return address < 4096 || address & 7 || address >= 1ULL << 52 ? NULL
								      : find_type(types, address);
}

bool type__has_managed_dict(const struct type *type)
{
	return type->flags & HAS_MANAGED_DICT;
}

bool type__has_inline_values(const struct type *type)
{
	return type->flags & HAS_INLINE_VALUES;
}
