// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/dict_keys.h"
#include "inspect/names.h"
#include "inspect/namespace.h"
#include "inspect/references.h"
#include "inspect/text.h"

/* A dict with more entries is a table of many of a kind. */
#define NAMED_ENTRIES 64

/* A longer tuple likewise. */
#define NAMED_ITEMS 16

/* What is said of a name, or of a key. */
#define MOST_CHARACTERS 48

/* Entries of a namespace that are read. */
#define MOST_ENTRIES (1 << 20)

/* PyMemberDef of Include/structmember.h: name, type, offset, flags, doc; and the types of a
 * reference: T_OBJECT, T_OBJECT_EX. */
#define MEMBER_SIZE   40
#define MEMBER_OBJECT 6
#define MEMBER_EX     16
#define MOST_MEMBERS  512
#define MOST_BASES    32

/* An object's beginning. */
#define BEGINNING 512

const char names__itself[] = "";

static const char any_item[] = "[*]", any_value[] = "{*}", any_key[] = "{keys}", unknown[] = ".?";

struct named {
	uint64_t address;
	const char *name;
	uint32_t order; /* the first counts */
};

struct names {
	struct heap *heap;
	const struct graph *graph;
	void *texts;	 /* a <search.h> tree of strings */
	uint32_t parent; /* whose references the names are of; NO_NODE: none */
	bool is_namespace;
	const char *all; /* one name for all of them, or NULL */
	struct named *named;
	size_t nnamed, room;
	int err;
};

struct names *names__new(struct heap *heap, const struct graph *graph)
{
	struct names *names = calloc(1, sizeof(*names));

	if (names) {
		names->heap = heap;
		names->graph = graph;
		names->parent = NO_NODE;
	}
	return names;
}

void names__free(struct names *names)
{
	if (!names)
		return;
	tdestroy(names->texts, free);
	free(names->named);
	free(names);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Takes a malloc'ed text, and returns the one that is kept. */
static const char *keep(struct names *names, char *text)
{
	char **known;

	if (!text)
		return NULL;
	known = tsearch(text, &names->texts, compare_texts);
	if (!known || *known != text)
		free(text);
	return known ? *known : NULL;
}

static void add(struct names *names, uint64_t address, const char *name)
{
	struct named *more;
	size_t room;

	if (!name || names->err) {
		names->err = -ENOMEM;
		return;
	}
	if (names->nnamed == names->room) {
		room = 2 * names->room + 64;
		more = reallocarray(names->named, room, sizeof(*more));
		if (!more) {
			names->err = -ENOMEM;
			return;
		}
		names->named = more;
		names->room = room;
	}
	names->named[names->nnamed] = (struct named){address, name, names->nnamed};
	names->nnamed++;
}

/* The text in a frame of this form, such as ".%s%s": what is too long ends with an ellipsis. NULL
 * if there is none at that address. */
static const char *frame_text(struct names *names, uint64_t address, const char *form)
{
	bool more = false;
	char *text = text__read(names->heap->memory, names->heap->rules.layout, address,
				MOST_CHARACTERS, &more),
	     *framed = NULL;

	if (text && asprintf(&framed, form, text, more ? "\u2026" : "") < 0)
		framed = NULL;
	free(text);
	return keep(names, framed);
}

static const char *attribute(struct names *names, uint64_t name)
{
	const char *text = frame_text(names, name, ".%s%s");

	return text ? text : unknown;
}

/* "['key']", "[42]", or the type of another key. */
static const char *subscript(struct names *names, uint64_t key)
{
	const struct type *type = heap__type_at(names->heap, key);
	const char *text = NULL;
	char *made = NULL;
	uint32_t digit = 0;
	uint64_t size;

	if (!type)
		return any_value;
	if (type->kind == KIND_STR)
		text = frame_text(names, key, "['%s%s']");
	size = memory__word(names->heap->memory, key + 16);
	/* PyLongObject of one digit or none: its size, since 3.12 above the sign, and a bit for
	 * small ones (3.14). */
	if (type->kind == KIND_INT && (names->heap->rules.minor < 12 ? size <= 1 : size < 16)) {
		if (names->heap->rules.minor < 12 ? size == 1 : size >> 3 == 1)
			memory__read(names->heap->memory, key + 24, &digit, sizeof(digit));
		if (asprintf(&made, "[%s%u]",
			     names->heap->rules.minor >= 12 && (size & 3) == 2 ? "-" : "",
			     digit) >= 0)
			text = keep(names, made);
	} else if (!text && asprintf(&made, "[<%s>]", type->name) >= 0) {
		text = keep(names, made);
	}
	return text;
}

static void name_entry(struct names *names, uint64_t key, uint64_t value, bool named)
{
	if (!key || !value)
		return;
	/* All others are values: in a table of a million that is half of the names. */
	if (named)
		add(names, value,
		    names->is_namespace ? attribute(names, key) : subscript(names, key));
	add(names, key, any_key);
}

static void name_dict(struct names *names, const struct object *object)
{
	uint64_t keys_at = memory__word(names->heap->memory, object->address + DICT_KEYS), key,
		 value, i;
	uint64_t values = memory__word(names->heap->memory, object->address + DICT_VALUES);
	struct dict_keys keys;
	bool named;

	names->all = any_value;
	if (!dict_keys__read(names->heap->memory, keys_at, names->heap->rules.minor, &keys))
		return;
	named = names->is_namespace || values || keys.nentries <= NAMED_ENTRIES;
	for (i = 0; i < keys.nentries && i < MOST_ENTRIES; i++) {
		if (!dict_keys__entry(names->heap->memory, &keys, i, &key, &value))
			break;
		/* Since 3.13 a table of values begins with a word of bytes. */
		if (values)
			value = memory__word(names->heap->memory,
					     values + 8 * i +
						     (names->heap->rules.minor >= 13 ? 8 : 0));
		name_entry(names, key, value, named);
	}
}

/* The name that C code or __slots__ give the field of an object. */
static const char *member_name(struct names *names, const struct type *type, uint32_t offset)
{
	struct {
		uint64_t name, type, offset, flags, doc;
	} member;
	char text[MOST_CHARACTERS], *made = NULL;
	unsigned int base, i;

	for (base = 0; type && base < MOST_BASES; base++) {
		for (i = 0; type->members && i < MOST_MEMBERS; i++) {
			if (!memory__read(names->heap->memory, type->members + MEMBER_SIZE * i,
					  &member, sizeof(member)) ||
			    !member.name)
				break;
			if (member.offset != offset || ((uint32_t)member.type != MEMBER_OBJECT &&
							(uint32_t)member.type != MEMBER_EX))
				continue;
			if (!memory__read_text(names->heap->memory, member.name, text,
					       sizeof(text)))
				break;
			return asprintf(&made, ".%s", text) < 0 ? NULL : keep(names, made);
		}
		type = type_table__at(names->heap->types, type->base);
	}
	return unknown;
}

/* Fields that types do not name to Python, in Include/cpython and Objects of 3.8 to 3.15. */
static const struct {
	const char *type; /* NULL: all types */
	uint32_t offset;
	const char *name;
} fields[] = {
	{"cell", 16, ".cell_contents"}, {"method", 16, ".__func__"},
	{"method", 24, ".__self__"},	{"builtin_function_or_method", 24, ".__self__"},
	{NULL, 256, ".__base__"},	{NULL, 336, ".__bases__"},
	{NULL, 344, ".__mro__"},
};

static const char *field_name(struct names *names, const struct type *type, uint32_t offset,
			      uint64_t word)
{
	const struct type *target;
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].offset == offset &&
		    (fields[i].type ? !strcmp(fields[i].type, type->name)
				    : type->kind == KIND_TYPE))
			return fields[i].name;
	}
	name = member_name(names, type, offset);
	/* Where a function has it changes with the versions. */
	target = name == unknown ? heap__type_at(names->heap, word) : NULL;
	return target && target->kind == KIND_CODE ? ".__code__" : name;
}

/* " name" of a variable by its index. */
static const char *local_name(struct names *names, uint64_t code, uint32_t i)
{
	uint64_t tuple = memory__word(names->heap->memory,
				      code + names->heap->rules.layout->code_local_names);
	uint64_t items = TUPLE_ITEMS(names->heap->rules.minor);
	const char *text = NULL;

	if (tuple && i < memory__word(names->heap->memory, tuple + 16))
		text = frame_text(names,
				  memory__word(names->heap->memory,
					       tuple + items + 8 * (uint64_t)i),
				  " %s%s");
	return text ? text : unknown;
}

static const char *value_name(struct names *names, const struct type *type, uint32_t i)
{
	uint64_t at = memory__word(names->heap->memory,
				   type->address + names->heap->rules.layout->type_cached_keys);
	struct dict_keys keys;
	uint64_t key, value;

	if (!dict_keys__read(names->heap->memory, at, names->heap->rules.minor, &keys) ||
	    i >= keys.nentries || !dict_keys__entry(names->heap->memory, &keys, i, &key, &value))
		return unknown;
	return attribute(names, key);
}

struct namer {
	struct names *names;
	const struct type *type;
	uint64_t code; /* that its frame runs; 0: none */
};

static int name_place(void *context, uint64_t word, struct place place)
{
	struct namer *namer = context;
	struct names *names = namer->names;
	char *made = NULL;

	/* Most words of numbers, and of hashes, are none. */
	if ((place.kind == PLACE_ENTRY || place.kind == PLACE_ITEM) &&
	    nodes__at(&names->heap->nodes, word) == NO_NODE)
		return 0;
	switch (place.kind) {
	case PLACE_TABLE:
		break;
	case PLACE_NAMESPACE:
		add(names, word, names__itself);
		break;
	case PLACE_ITEM:
		if (namer->type->kind != KIND_TUPLE || asprintf(&made, "[%u]", place.n) < 0)
			add(names, word, any_item);
		else
			add(names, word, keep(names, made));
		break;
	case PLACE_ENTRY:
		add(names, word, any_value);
		break;
	case PLACE_VALUE:
		add(names, word, value_name(names, namer->type, place.n));
		break;
	case PLACE_LOCAL:
		add(names, word, local_name(names, namer->code, place.n));
		break;
	case PLACE_FIELD:
		add(names, word, field_name(names, namer->type, place.n, word));
		break;
	}
	return names->err;
}

static void name_object(struct names *names, uint32_t node)
{
	struct namer namer = {.names = names};
	uint8_t bytes[BEGINNING];
	struct object object;
	uint64_t frame;

	names->all = unknown;
	if (!heap__read_object(names->heap, node, bytes, sizeof(bytes), &object))
		return;
	namer.type = object.type;
	switch (object.type->kind) {
	case KIND_LIST:
	case KIND_DEQUE:
		names->all = any_item;
		break;
	case KIND_SET:
		names->all = any_value;
		break;
	case KIND_TUPLE:
		names->all = any_item;
		if (memory__word(names->heap->memory, object.address + 16) > NAMED_ITEMS)
			return;
		break;
	case KIND_DICT:
		name_dict(names, &object);
		break;
	default:
		break;
	}
	/* A subclass may have attributes. */
	if (object.type->kind == KIND_DICT || object.type->kind == KIND_SET ||
	    object.type->kind == KIND_LIST || object.type->kind == KIND_DEQUE) {
		if (!type__has_managed_dict(object.type) && object.type->dict <= 0)
			return;
	}
	frame = object__frame(&object, &names->heap->rules);
	if (frame)
		namer.code = frame__code(frame, &names->heap->rules, names->heap->memory);
	object__refer(&object, 8 * (uint64_t)names->heap->nodes.of[node].words, &names->heap->rules,
		      names->heap->memory, name_place, &namer);
}

static void name_root(struct names *names, const struct root *root)
{
	struct namer namer = {.names = names, .code = root->code};

	names->all = names__itself;
	if (root->kind != ROOT_FRAME || names->heap->rules.minor < 11)
		return;
	names->all = unknown;
	frame__refer(root->frame, root->code, &names->heap->rules, names->heap->memory, name_place,
		     &namer);
}

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void load(struct names *names, uint32_t parent, bool is_namespace)
{
	names->parent = parent;
	names->is_namespace = is_namespace;
	names->nnamed = 0;
	if (parent >= names->heap->nodes.n)
		name_root(names, &names->graph->roots[parent - names->heap->nodes.n]);
	else if (names->heap->nodes.of[parent].type < 0)
		names->all = names__itself;
	else
		name_object(names, parent);
}

/* A module is written as its name: __name__ in its dict. */
static const char *module_name(struct names *names, uint32_t node)
{
	uint64_t dict = module__dict(names->heap, names->heap->nodes.of[node].address);
	uint64_t name = dict ? namespace__value(names->heap, dict, "__name__") : 0;
	const char *text = name ? frame_text(names, name, "%s%s") : NULL;

	return text ? text : unknown;
}

const char *names__of(struct names *names, uint32_t node, bool is_namespace)
{
	uint32_t parent = names->graph->parents[node];
	const struct named *found, *end;
	size_t low = 0, high, middle;
	uint64_t address;

	if (parent >= names->heap->nodes.n &&
	    names->graph->roots[parent - names->heap->nodes.n].kind == ROOT_MODULES)
		return module_name(names, node);
	if (parent != names->parent || is_namespace != names->is_namespace) {
		load(names, parent, is_namespace);
		if (names->nnamed)
			qsort(names->named, names->nnamed, sizeof(*names->named), compare_named);
	}
	if (names->err)
		return NULL;
	address = names->heap->nodes.of[node].address;
	for (high = names->nnamed; low < high;) {
		middle = (low + high) / 2;
		if (names->named[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	found = names->named + low;
	end = names->named + names->nnamed;
	if (found < end && found->address == address)
		return found->name;
	/* A table is part of its owner. */
	if (names->heap->nodes.of[node].type == NODE_TABLE)
		return names__itself;
	return names->all;
}

void names__visit(struct names *names, uint32_t node, bool is_namespace,
		  void (*visit)(void *context, const char *name, uint64_t address), void *context)
{
	struct named *named;
	size_t n, i;

	load(names, node, is_namespace);
	/* The visitor may ask for those of another. */
	n = names->nnamed;
	named = n ? malloc(n * sizeof(*named)) : NULL;
	if (named)
		memcpy(named, names->named, n * sizeof(*named));
	names->parent = NO_NODE;
	for (i = 0; named && i < n; i++)
		visit(context, named[i].name, named[i].address);
	free(named);
}
