// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "inspect/dict_keys.h"
#include "inspect/references.h"

/* The first word after PyObject. */
#define FIRST_FIELD 16

/* PyVarObject; PyListObject: ob_item */
#define OB_SIZE	   16
#define LIST_ITEMS 24

/* PySetObject: table; smalltable, of 8 entries, which keeps what was in it once the set has
 * outgrown it. */
#define SET_TABLE	40
#define SET_SMALL_TABLE 64
#define SET_SMALL_END	192

/* PyTypeObject: tp_dict. PyModuleObject: md_dict, the same from 3.8 to 3.15. */
#define TYPE_NAMES   264
#define MODULE_NAMES 16

/* PyWeakReference: wr_callback; what subclasses add lies behind its own fields. */
#define WEAKREF_CALLBACK 24
#define WEAKREF_END	 56

/* What lies in front of an object: PyDictValues * (3.11), and a dict, or values with the lowest bit
 * set (3.12), or a dict (3.13). Include/internal/pycore_object.h. */
#define VALUES_BEFORE 32
#define DICT_BEFORE   24

/* SHARED_KEYS_MAX_SIZE, Include/internal/pycore_dict.h. */
#define MOST_VALUES 30

/* Variables and stack of a frame: no function has more. */
#define MOST_LOCALS 10000

/* _PyInterpreterFrame since 3.11: stacktop, an int, or since 3.14 stackpointer. PyFrameObject
 * before: f_stacktop behind f_valuestack (3.8 and 3.9), f_stackdepth (3.10, behind f_trace). */
#define FRAME_STACK(minor) ((minor) >= 11 ? 64 : (minor) == 10 ? 80 : 72)
#define FRAME_STACK_BOTTOM 64
#define FRAME_FIELDS	   88

/* dequeobject and struct BLOCK of Modules/_collectionsmodule.c: leftblock, rightblock, leftindex,
 * rightindex; data between two links. */
#define DEQUE_LEFT	  24
#define DEQUE_RIGHT	  32
#define DEQUE_LEFT_INDEX  40
#define DEQUE_RIGHT_INDEX 48
#define DEQUE_BLOCK	  64
#define BLOCK_DATA	  8
#define MOST_DEQUE_BLOCKS 1000000 /* 64 million items */
#define BLOCK_RIGHT	  520

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct walk {
	const struct object *object;
	uint64_t block;
	const struct object_rules *rules;
	struct memory *memory;
	reference_visitor visit;
	void *context;
};

static int visit_words(const struct walk *walk, uint64_t from, uint64_t to, struct place place,
		       uint32_t step)
{
	uint64_t words[64], n, i;
	int err = 0;

	for (; !err && from < to && to - from >= 8; from += 8 * n) {
		n = (to - from) / 8;
		n = n < 64 ? n : 64;
		/* Up to the end of the page, so that one that is not there takes no other. */
		if (n > (4096 - from % 4096) / 8)
			n = (4096 - from % 4096) / 8;
		n += !n;
		/* Reading a page that is swapped out, or was never there, would bring it in. */
		if (!memory__is_resident(walk->memory, from) ||
		    !memory__read(walk->memory, from, words, 8 * n))
			memset(words, 0, 8 * n);
		for (i = 0; !err && i < n; i++, place.n += step) {
			if (words[i] < 4096)
				continue;
			/* Since 3.14 a frame's references have tags. */
			if (place.kind == PLACE_LOCAL && walk->rules)
				words[i] &= ~(uint64_t)walk->rules->layout->frame_tags;
			err = walk->visit(walk->context, words[i], place);
		}
	}
	return err;
}

/* The fields from one offset to another, but for that one where weak references begin. */
static int visit_fields(const struct walk *walk, uint64_t from, uint64_t to)
{
	uint64_t weak = walk->object->type->weakrefs, at = walk->object->address;
	int err;

	if (weak < from || weak >= to)
		return visit_words(walk, at + from, at + to, (struct place){PLACE_FIELD, from}, 8);
	err = visit_words(walk, at + from, at + weak, (struct place){PLACE_FIELD, from}, 8);
	return err ? err
		   : visit_words(walk, at + weak + 8, at + to,
				 (struct place){PLACE_FIELD, weak + 8}, 8);
}

static int visit_word(const struct walk *walk, uint64_t word, enum place_kind kind)
{
	return word ? walk->visit(walk->context, word, (struct place){kind, 0}) : 0;
}

static uint64_t field(const struct walk *walk, uint64_t offset)
{
	return memory__word(walk->memory, walk->object->address + offset);
}

/* The tables that sizes.h finds: their words are the object's. */
static int visit_tables(const struct walk *walk)
{
	struct tables tables;
	const struct table *table;
	uint64_t first;
	size_t i;
	int err = 0;

	if (!object__size(walk->object, walk->rules, walk->memory, &tables))
		return 0;
	for (i = 0; !err && i < tables.n; i++) {
		table = &tables.of[i];
		if (table->is_shared)
			continue;
		err = visit_word(walk, table->address, PLACE_TABLE);
		if (err || !table->has_pointers)
			continue;
		/* One of values begins with a word of bytes since 3.13; its size does not count it.
		 */
		first = walk->object->type->kind == KIND_DICT && walk->rules->minor >= 13 &&
					table->address == field(walk, DICT_VALUES)
				? 8
				: 0;
		err = visit_words(walk, table->address + first,
				  table->address + first + table->bytes,
				  (struct place){PLACE_ENTRY, 0}, 1);
	}
	return err;
}

static int visit_list(const struct walk *walk)
{
	uint64_t items = field(walk, LIST_ITEMS), n = field(walk, OB_SIZE);
	struct tables tables;
	int err;

	if (!object__size(walk->object, walk->rules, walk->memory, &tables) || !tables.n)
		return 0;
	err = visit_word(walk, items, PLACE_TABLE);
	/* Behind the last item may be what was removed. */
	if (!err && n <= tables.of[0].bytes / 8)
		err = visit_words(walk, items, items + 8 * n, (struct place){PLACE_ITEM, 0}, 1);
	return err;
}

/* Visits the blocks of a deque, and with items also what is in them. */
static int visit_deque(const struct walk *walk, bool items)
{
	uint64_t at = field(walk, DEQUE_LEFT), last = field(walk, DEQUE_RIGHT), i;
	uint64_t from = field(walk, DEQUE_LEFT_INDEX), to;
	uint64_t left = field(walk, OB_SIZE) / DEQUE_BLOCK + 2;
	int err = 0;

	/* A ring of blocks would have no end. */
	left = left < MOST_DEQUE_BLOCKS ? left : MOST_DEQUE_BLOCKS;
	for (i = 0; !err && at && left--; i += DEQUE_BLOCK, from = 0) {
		to = at == last ? field(walk, DEQUE_RIGHT_INDEX) + 1 : DEQUE_BLOCK;
		if (from > DEQUE_BLOCK || to > DEQUE_BLOCK)
			break;
		err = visit_word(walk, at, PLACE_TABLE);
		if (!err && items && from < to)
			err = visit_words(walk, at + BLOCK_DATA + 8 * from,
					  at + BLOCK_DATA + 8 * to, (struct place){PLACE_ITEM, 0},
					  1);
		if (at == last)
			break;
		at = memory__word(walk->memory, at + BLOCK_RIGHT);
	}
	return err;
}

/* Values of an instance in a block of their own, PyDictValues: as many as its type's keys have. */
static int visit_values(const struct walk *walk, uint64_t values)
{
	uint64_t at = walk->object->type->address + walk->rules->layout->type_cached_keys;
	struct dict_keys keys;

	if (!dict_keys__read(walk->memory, memory__word(walk->memory, at), walk->rules->minor,
			     &keys) ||
	    keys.shared > MOST_VALUES)
		return 0;
	return visit_words(walk, values, values + 8 * keys.shared, (struct place){PLACE_VALUE, 0},
			   1);
}

/* What the interpreter keeps in front of an instance: its values, its dict, or none. */
static void read_managed(const struct walk *walk, uint64_t *values, uint64_t *dict)
{
	*values = 0;
	*dict = memory__word(walk->memory, walk->object->address - DICT_BEFORE);
	if (walk->rules->minor == 11) {
		*values = memory__word(walk->memory, walk->object->address - VALUES_BEFORE);
	} else if (walk->rules->minor == 12 && *dict & 1) {
		*values = *dict + 1;
		*dict = 0;
	}
	*dict &= ~(uint64_t)7;
}

/* The attributes of an instance that the interpreter manages. */
static int visit_managed(const struct walk *walk)
{
	uint64_t values, dict, end;
	uint8_t capacity;
	int err = 0;

	read_managed(walk, &values, &dict);
	if (values) {
		err = visit_word(walk, values, PLACE_TABLE);
		if (!err)
			err = visit_values(walk, values);
	}
	if (!err)
		err = visit_word(walk, dict, PLACE_NAMESPACE);
	/* PyDictValues of 3.13: capacity and three more bytes in a word. */
	values = walk->object->address + walk->object->type->basic_size;
	if (err || !type__has_inline_values(walk->object->type) || walk->rules->minor < 13 ||
	    !memory__read(walk->memory, values, &capacity, sizeof(capacity)))
		return err;
	end = values + 8 + 8 * (uint64_t)capacity;
	if (end > walk->object->address + walk->block)
		return 0;
	return visit_words(walk, values + 8, end, (struct place){PLACE_VALUE, 0}, 1);
}

/* The field, if any, with the dict of an object's attributes. 0: none. */
static uint64_t namespace_of(const struct walk *walk, uint64_t end)
{
	const struct type *type = walk->object->type;

	if (type->kind == KIND_TYPE)
		return TYPE_NAMES;
	if (type->kind == KIND_MODULE)
		return MODULE_NAMES;
	if (type->dict >= FIRST_FIELD && (uint64_t)type->dict < end)
		return type->dict;
	/* From the end of a variable-sized object, which is rounded up to words. */
	if (type->dict < 0 && type->dict >= -64 && end > FIRST_FIELD + 64)
		return ((end + 7) & ~(uint64_t)7) + type->dict;
	return 0;
}

/* All fields, each but the namespace with its offset. */
static int visit_all_fields(const struct walk *walk, uint64_t first, uint64_t end)
{
	uint64_t names = namespace_of(walk, end);
	int err;

	if (names < first || names + 8 > end)
		return visit_fields(walk, first, end);
	err = visit_fields(walk, first, names);
	if (!err)
		err = visit_word(walk, field(walk, names), PLACE_NAMESPACE);
	return err ? err : visit_fields(walk, names + 8, end);
}

static int visit_weakref(const struct walk *walk, uint64_t end)
{
	int err = visit_word(walk, field(walk, WEAKREF_CALLBACK), PLACE_FIELD);

	return err || end <= WEAKREF_END ? err : visit_all_fields(walk, WEAKREF_END, end);
}

/* What a subclass adds lies behind the items. */
static int visit_tuple(const struct walk *walk, uint64_t end)
{
	uint64_t at = walk->object->address, first = TUPLE_ITEMS(walk->rules->minor);
	uint64_t n = field(walk, OB_SIZE), items = n < end / 8 ? first + 8 * n : first;
	int err;

	items = items < end ? items : end;
	err = visit_words(walk, at + first, at + items, (struct place){PLACE_ITEM, 0}, 1);
	return err ? err : visit_all_fields(walk, items, end);
}

/* How much of a frame's stack is looked at where it is not known how much is in use. */
#define STACK_WORDS 8

/* Words of a frame from its first variable on, of at most n; unknown: to be added if it is not
 * known how much of its stack is in use, as it runs. */
static uint64_t frame_words(const struct walk *walk, uint64_t frame, uint64_t code, uint64_t most,
			    uint64_t unknown)
{
	const struct py_layout *l = walk->rules->layout;
	uint64_t names = code ? memory__word(walk->memory, code + l->code_local_names) : 0,
		 words = 0;
	uint64_t locals = frame + l->frame_locals,
		 top = memory__word(walk->memory, frame + FRAME_STACK(walk->rules->minor));

	if (walk->rules->minor < 10) {
		/* f_stacktop, or f_valuestack while it runs */
		words = (top ? top : memory__word(walk->memory, frame + FRAME_STACK_BOTTOM)) -
			locals;
	} else if (walk->rules->minor == 10) {
		/* f_stackdepth, -1 while it runs */
		top = (int32_t)top > 0 ? (int32_t)top : 0;
		words = memory__word(walk->memory, frame + FRAME_STACK_BOTTOM) + 8 * top - locals;
	} else if (walk->rules->minor < 14) {
		words = 8 * (uint64_t)(uint32_t)top;
	} else {
		words = top - locals;
	}
	words /= 8;
	if (walk->rules->minor >= 11 && words > most)
		words = (names ? memory__word(walk->memory, names + OB_SIZE) : 0) + unknown;
	return words <= most ? words : 0;
}

/* A generator, or frame object, has a frame in it since 3.11, of which the type's basic size counts
 * all but the variables. Before, a frame object is one. */
uint64_t object__frame(const struct object *object, const struct object_rules *rules)
{
	if (object->type->kind != KIND_FRAME)
		return 0;
	if (rules->minor < 11)
		return !strcmp(object->type->name, "frame") ? object->address : 0;
	return object->address + object->type->basic_size - rules->layout->frame_locals;
}

uint64_t frame__code(uint64_t frame, const struct object_rules *rules, struct memory *memory)
{
	return memory__word(memory, frame + rules->layout->frame_code) &
	       ~(uint64_t)rules->layout->frame_tags;
}

static int visit_frame_object(const struct walk *walk, uint64_t end)
{
	uint64_t frame = object__frame(walk->object, walk->rules), first, n, code;
	int err;

	if (!frame)
		return visit_all_fields(walk, FIRST_FIELD, end);
	first = frame + walk->rules->layout->frame_locals;
	code = frame__code(frame, walk->rules, walk->memory);
	n = (walk->object->address + walk->block - first) / 8;
	n = frame_words(walk, frame, code, n < MOST_LOCALS ? n : MOST_LOCALS, 0);
	/* Before 3.11, what was there earlier may be left in f_blockstack. */
	end = walk->rules->minor >= 11 ? first - walk->object->address : FRAME_FIELDS;
	err = visit_all_fields(walk, FIRST_FIELD, end);
	return err ? err
		   : visit_words(walk, first, first + 8 * n, (struct place){PLACE_LOCAL, 0}, 1);
}

static int visit_by_kind(const struct walk *walk, uint64_t end)
{
	int err;

	switch (walk->object->type->kind) {
	case KIND_WEAKREF:
		return visit_weakref(walk, end);
	case KIND_TUPLE:
		return visit_tuple(walk, end);
	case KIND_LIST:
		err = visit_list(walk);
		return err ? err : visit_all_fields(walk, LIST_ITEMS + 16, end);
	case KIND_DEQUE:
		err = visit_deque(walk, true);
		return err ? err : visit_all_fields(walk, DEQUE_RIGHT_INDEX, end);
	case KIND_SET:
		err = visit_tables(walk);
		if (!err && field(walk, SET_TABLE) == walk->object->address + SET_SMALL_TABLE)
			err = visit_words(walk, walk->object->address + SET_SMALL_TABLE,
					  walk->object->address + smaller(SET_SMALL_END, end),
					  (struct place){PLACE_ENTRY, 0}, 1);
		return err || end <= SET_SMALL_END ? err
						   : visit_all_fields(walk, SET_SMALL_END, end);
	case KIND_DICT:
	case KIND_NDARRAY:
	case KIND_STR:
	case KIND_BYTEARRAY:
	case KIND_ARRAY:
		err = visit_tables(walk);
		return err ? err : visit_all_fields(walk, FIRST_FIELD, end);
	case KIND_FRAME:
		return visit_frame_object(walk, end);
	default:
		return visit_all_fields(walk, FIRST_FIELD, end);
	}
}

int object__refer(const struct object *object, uint64_t block, const struct object_rules *rules,
		  struct memory *memory, reference_visitor visit, void *context)
{
	const struct walk walk = {object, block, rules, memory, visit, context};
	uint64_t end = object__extent(object, rules);
	int err = 0;

	if (type__is_opaque(object->type))
		return 0;
	/* A subclass of str or int has its attributes behind what it has as such. */
	if (end < (uint64_t)object->type->basic_size)
		end = object->type->basic_size;
	end = smaller(end, block) & ~(uint64_t)7;
	if (type__has_managed_dict(object->type))
		err = visit_managed(&walk);
	return err ? err : visit_by_kind(&walk, end);
}

int block__refer(uint64_t address, uint64_t bytes, struct memory *memory, reference_visitor visit,
		 void *context)
{
	const struct walk walk = {.memory = memory, .visit = visit, .context = context};

	return visit_words(&walk, address, address + bytes, (struct place){PLACE_ITEM, 0}, 1);
}

struct claimer {
	int (*claim)(void *context, uint64_t address);
	void *context;
};

static int claim_table(void *context, uint64_t word, struct place place)
{
	const struct claimer *claimer = context;

	return place.kind == PLACE_TABLE ? claimer->claim(claimer->context, word) : 0;
}

int object__claim_tables(const struct object *object, const struct tables *tables,
			 const struct object_rules *rules, struct memory *memory,
			 int (*claim)(void *context, uint64_t address), void *context)
{
	struct claimer claimer = {claim, context};
	const struct walk walk = {object, object->n, rules, memory, claim_table, &claimer};
	uint64_t values, dict;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < tables->n; i++) {
		if (!tables->of[i].is_shared)
			err = claim(context, tables->of[i].address);
	}
	if (!err && object->type->kind == KIND_DEQUE)
		err = visit_deque(&walk, false);
	if (err || rules->minor >= 13 || !type__has_managed_dict(object->type))
		return err;
	read_managed(&walk, &values, &dict);
	return values ? claim(context, values) : 0;
}

int frame__refer(uint64_t frame, uint64_t code, const struct object_rules *rules,
		 struct memory *memory, reference_visitor visit, void *context)
{
	const struct walk walk = {.rules = rules,
				  .memory = memory,
				  .visit = visit,
				  .context = context};
	uint64_t at = frame + rules->layout->frame_locals;
	uint64_t n = frame_words(&walk, frame, code, MOST_LOCALS, STACK_WORDS);

	return visit_words(&walk, at, at + 8 * n, (struct place){PLACE_LOCAL, 0}, 1);
}
