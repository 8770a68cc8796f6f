// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "symbols/code_objects.h"
#include "symbols/linetable.h"

struct known_location {
	struct location of; /* first: pointers to it are handed out */
	bool used;	    /* in the current sweep */
};

/* Locations that are no line of a program: for how stacks end (enum stack_end), for stacks without
 * a Python frame, for frames whose code object could not be read, and for forgotten stacks. */
enum { PLACE_NATIVE = STACK_WHOLE, PLACE_UNKNOWN = STACK_BEFORE_ATTACH + 1, PLACE_FORGOTTEN };

static struct known_location places[] = {
	[PLACE_NATIVE] = {.of = {"[native]", "", 0}},
	[STACK_CUT] = {.of = {"[cut]", "", 0}},
	[STACK_UNREADABLE] = {.of = {"[unreadable]", "", 0}},
	[STACK_BEFORE_ATTACH] = {.of = {"[before attach]", "", 0}},
	[PLACE_UNKNOWN] = {.of = {"[unknown]", "", 0}},
	[PLACE_FORGOTTEN] = {.of = {"[forgotten]", "", 0}},
};

const struct location *const location_native = &places[PLACE_NATIVE].of;
const struct location *const location_forgotten = &places[PLACE_FORGOTTEN].of;

/* An interned string. */
struct text {
	bool used; /* in the current sweep */
	char string[];
};

struct part {
	uint8_t *data;
	uint32_t total;
	uint32_t kind;
};

/* A code object, or a function that markers named. */
struct code {
	__u64 address;
	__u32 process;
	__u32 generation;
	__s32 first_line;
	__s32 first_traceable;
	enum line_table line_table;
	const char *file, *function; /* NULL until all parts have come */
	bool dead;		     /* at the last look */
	bool succeeded;		     /* there is a later one at its address */
	struct line_cursor cursor;   /* of the line table */
	struct part parts[CODE_PARTS];
};

struct code_objects {
	void *strings; /* <search.h> trees */
	void *locations;
	void *codes;
	size_t n; /* number of codes */
};

struct code_objects *code_objects__new(void)
{
	return calloc(1, sizeof(struct code_objects));
}

static void free_code(void *node)
{
	struct code *code = node;
	int i;

	for (i = 0; i < CODE_PARTS; i++)
		free(code->parts[i].data);
	free(code);
}

void code_objects__free(struct code_objects *names)
{
	if (!names)
		return;
	tdestroy(names->codes, free_code);
	tdestroy(names->locations, free);
	tdestroy(names->strings, free);
	free(names);
}

static int compare_u64(__u64 a, __u64 b)
{
	return a < b ? -1 : a > b;
}

static int compare_codes(const void *a, const void *b)
{
	const struct code *x = a, *y = b;
	int order = compare_u64(x->address, y->address);

	if (!order)
		order = compare_u64(x->process, y->process);
	return order ? order : compare_u64(x->generation, y->generation);
}

/* Compares strings by address: they are interned. */
static int compare_locations(const void *a, const void *b)
{
	const struct location *x = a, *y = b;
	int order = compare_u64(x->line, y->line);

	if (!order)
		order = compare_u64((uintptr_t)x->file, (uintptr_t)y->file);
	return order ? order : compare_u64((uintptr_t)x->function, (uintptr_t)y->function);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->string, ((const struct text *)b)->string);
}

/* Returns the one copy of the string, which is freed. NULL if out of memory. */
static const char *intern(struct code_objects *names, char *string)
{
	size_t size = string ? strlen(string) + 1 : 0;
	struct text *text = string ? malloc(sizeof(*text) + size) : NULL, **known = NULL;

	if (text) {
		memcpy(text->string, string, size);
		known = tsearch(text, &names->strings, compare_texts);
		if (!known || *known != text)
			free(text);
	}
	free(string);
	return known ? (*known)->string : NULL;
}

static struct code *find_code(struct code_objects *names, __u32 process, __u64 address,
			      __u32 generation)
{
	struct code key = {.process = process, .address = address, .generation = generation};
	struct code **known = tfind(&key, &names->codes, compare_codes);

	return known ? *known : NULL;
}

static struct code *make_code(struct code_objects *names, __u32 process, __u64 address,
			      __u32 generation)
{
	struct code *code = find_code(names, process, address, generation);

	if (code)
		return code;
	code = calloc(1, sizeof(*code));
	if (!code)
		return NULL;
	code->process = process;
	code->address = address;
	code->generation = generation;
	if (!tsearch(code, &names->codes, compare_codes)) {
		free(code);
		return NULL;
	}
	names->n++;
	return code;
}

int code_objects__add_part(struct code_objects *names, const struct code_part *record, size_t size)
{
	const size_t header = sizeof(*record) - CODE_PART_SIZE;
	struct code *code;
	struct part *part;

	if (size < header || record->kind > 4 || record->kind == 3 ||
	    record->size > size - header || record->part >= CODE_PARTS ||
	    record->total > CODE_PART_LIMIT || record->offset > record->total ||
	    record->size > record->total - record->offset)
		return 0;
	code = make_code(names, record->record.process, record->code, record->generation);
	if (!code)
		return -ENOMEM;
	if (code->file)
		return 0; /* known already: it is sent again if the BPF side forgot that */
	part = &code->parts[record->part];
	if (!part->data || part->total != record->total) {
		free(part->data);
		part->data = calloc(1, record->total + 1);
		if (!part->data)
			return -ENOMEM;
		part->total = record->total;
	}
	part->kind = record->kind;
	memcpy(part->data + record->offset, record->data, record->size);
	return 0;
}

int code_objects__add_long_table(struct code_objects *names, const struct long_table *record,
				 uint8_t *data)
{
	struct code *code =
		make_code(names, record->record.process, record->code, record->generation);
	struct part *part;

	if (!code || code->file) {
		free(data);
		return code ? 0 : -ENOMEM;
	}
	part = &code->parts[PART_LINETABLE];
	free(part->data);
	*part = (struct part){.data = data, .total = record->size};
	return 0;
}

/* Returns a part as interned text, and frees the part. */
static const char *take_text(struct code_objects *names, struct part *part)
{
	uint32_t size = part->total;
	char *text;

	/* A C string came with its NUL. */
	if (!part->kind && size && !part->data[size - 1])
		size--;
	text = utf8_from_str(part->data ? part->data : (const uint8_t *)"", size, part->kind);
	free(part->data);
	part->data = NULL;
	return intern(names, text);
}

int code_objects__add_code(struct code_objects *names, const struct code_record *record,
			   size_t size)
{
	struct code *code;

	if (size < sizeof(*record))
		return 0;
	code = make_code(names, record->record.process, record->code, record->generation);
	if (!code)
		return -ENOMEM;
	if (code->file)
		return 0; /* two threads sent it */
	code->first_line = record->first_line;
	code->first_traceable = record->first_traceable;
	code->line_table = record->line_table;
	code->function = take_text(names, &code->parts[PART_FUNCTION]);
	code->file = take_text(names, &code->parts[PART_FILENAME]);
	return code->file && code->function ? 0 : -ENOMEM;
}

/*
 * Returns the code object that a frame means. Objects share a slot of generations: another one's
 * death advances it. So the frame's object is the last one that was sent up to then.
 */
static struct code *last_code(struct code_objects *names, __u32 process, __u64 address,
			      __u32 generation)
{
	struct code *code;

	for (;; generation--) {
		code = find_code(names, process, address, generation);
		if (code || !generation)
			return code;
	}
}

int code_objects__add_inherited(struct code_objects *names, const struct inherited_code *record,
				size_t size)
{
	const struct code *parent;
	struct part *table;
	struct code *code;

	if (size < sizeof(*record))
		return 0;
	parent = last_code(names, record->parent, record->code, record->generation);
	if (!parent || !parent->file)
		return 0;
	code = make_code(names, record->record.process, record->code, record->generation);
	if (!code)
		return -ENOMEM;
	if (code->file)
		return 0;
	code->first_line = parent->first_line;
	code->first_traceable = parent->first_traceable;
	code->line_table = parent->line_table;
	table = &code->parts[PART_LINETABLE];
	free(table->data);
	*table = parent->parts[PART_LINETABLE];
	table->data = malloc(table->total + 1);
	if (!table->data)
		return -ENOMEM;
	if (table->total)
		memcpy(table->data, parent->parts[PART_LINETABLE].data, table->total);
	code->function = parent->function;
	code->file = parent->file;
	return 0;
}

/* Returns the one location like that, whose strings are interned. NULL if out of memory. */
static const struct location *find_location(struct code_objects *names, const struct location *key)
{
	struct location *const *known = tfind(key, &names->locations, compare_locations);
	struct known_location *location;

	if (known)
		return *known;
	location = malloc(sizeof(*location));
	if (!location)
		return NULL;
	*location = (struct known_location){.of = *key};
	if (!tsearch(location, &names->locations, compare_locations)) {
		free(location);
		return NULL;
	}
	return &location->of;
}

const struct location *code_objects__mark_native(struct code_objects *names,
						 const struct location *location, bool likely)
{
	struct location key = *location;
	char *function;

	/* The locations of what is no line are no names of ours. */
	if (!location->line)
		return location;
	if (asprintf(&function, "%s %s", location->function,
		     likely ? LIKELY_NATIVE_THREAD : NATIVE_THREAD) < 0)
		return NULL;
	key.function = intern(names, function);
	return key.function ? find_location(names, &key) : NULL;
}

const struct location *code_objects__resolve(struct code_objects *names, __u32 process,
					     const struct frame *frame, bool *skip)
{
	struct code *code =
		last_code(names, process, frame->code, frame->generation & ~FRAME_GENERATOR);
	const struct part *table;
	struct location key;

	*skip = false;
	if (!code || !code->file)
		return &places[PLACE_UNKNOWN].of;
	key.file = code->file;
	key.function = code->function;
	*skip = !(frame->generation & FRAME_GENERATOR) && frame->position < code->first_traceable;
	table = &code->parts[PART_LINETABLE];
	key.line = line_table__line(code->line_table, table->data, table->total, code->first_line,
				    frame->position, &code->cursor);
	return find_location(names, &key);
}

/* A search of a tree. */
struct search {
	bool (*is_wanted)(void *node, void *context);
	void *context;
	void **found;
	size_t n, room;
};

static void take_wanted(const void *node, VISIT visit, void *context)
{
	void *thing = *(void *const *)node, **more;
	struct search *search = context;

	if ((visit != postorder && visit != leaf) || !search->is_wanted(thing, search->context))
		return;
	if (search->n == search->room) {
		more = reallocarray(search->found, 2 * search->room + 64, sizeof(*more));
		if (!more)
			return; /* it stays, unused */
		search->found = more;
		search->room = 2 * search->room + 64;
	}
	search->found[search->n++] = thing;
}

/* Removes what is wanted from a tree. Returns how many that were. */
static size_t take_out(void **tree, int (*compare)(const void *a, const void *b),
		       bool (*is_wanted)(void *node, void *context), void *context,
		       void (*release)(void *node))
{
	struct search search = {.is_wanted = is_wanted, .context = context};
	size_t i;

	twalk_r(*tree, take_wanted, &search);
	for (i = 0; i < search.n; i++) {
		tdelete(search.found[i], tree, compare);
		release(search.found[i]);
	}
	free(search.found);
	return search.n;
}

static void forget(struct code_objects *names, bool (*is_wanted)(void *code, void *context),
		   void *context)
{
	names->n -= take_out(&names->codes, compare_codes, is_wanted, context, free_code);
}

static bool is_of_process(void *code, void *process)
{
	return ((const struct code *)code)->process == *(__u32 *)process;
}

void code_objects__forget_process(struct code_objects *names, __u32 process)
{
	forget(names, is_of_process, &process);
}

size_t code_objects__count(const struct code_objects *names)
{
	return names->n;
}

/* Finds those that are dead at two looks: by then, every record that names them has come. */
struct code_search {
	const struct code_life *life;
	struct code *last; /* the last one visited: they come by address, process and generation */
};

static bool was_dead(void *node, void *context)
{
	struct code_search *search = context;
	const struct code_life *life = search->life;
	struct code *code = node, *last = search->last;
	bool was = code->dead;

	if (last && last->address == code->address && last->process == code->process)
		last->succeeded = true;
	search->last = code;
	/* Process 0 is for names that markers gave. */
	code->dead =
		code->process &&
		(code->succeeded || !life->is_alive(life->context, code->process, code->address));
	return was && code->dead;
}

void code_objects__forget_dead(struct code_objects *names, const struct code_life *life)
{
	struct code_search search = {.life = life};

	forget(names, was_dead, &search);
}

static struct text *text_of(const char *string)
{
	return (struct text *)(string - offsetof(struct text, string));
}

static bool unmark_text(void *text, void *context)
{
	(void)context;
	((struct text *)text)->used = false;
	return false;
}

static bool unmark_location(void *location, void *context)
{
	(void)context;
	((struct known_location *)location)->used = false;
	return false;
}

void code_objects__begin_sweep(struct code_objects *names)
{
	take_out(&names->strings, compare_texts, unmark_text, NULL, free);
	take_out(&names->locations, compare_locations, unmark_location, NULL, free);
}

void location__mark(const struct location *location)
{
	((struct known_location *)location)->used = true;
}

static bool is_unused_text(void *text, void *context)
{
	(void)context;
	return !((const struct text *)text)->used;
}

/* The names of a location that is used are used as well. */
static bool is_unused_location(void *node, void *context)
{
	const struct known_location *location = node;

	(void)context;
	if (!location->used)
		return true;
	text_of(location->of.file)->used = true;
	text_of(location->of.function)->used = true;
	return false;
}

static bool mark_names(void *node, void *context)
{
	const struct code *code = node;

	(void)context;
	if (code->file)
		text_of(code->file)->used = true;
	if (code->function)
		text_of(code->function)->used = true;
	return false;
}

void code_objects__end_sweep(struct code_objects *names)
{
	take_out(&names->locations, compare_locations, is_unused_location, NULL, free);
	take_out(&names->codes, compare_codes, mark_names, NULL, free_code);
	take_out(&names->strings, compare_texts, is_unused_text, NULL, free);
}

const struct location *location__of_end(enum stack_end end)
{
	return end != STACK_WHOLE && places[end].of.file ? &places[end].of : NULL;
}
