// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "symbols/code_objects.h"
#include "symbols/linetable.h"

const struct location location_native = {"[native]", "", 0};

static const struct location end_names[] = {
	[STACK_CUT] = {"[cut]", "", 0},
	[STACK_UNREADABLE] = {"[unreadable]", "", 0},
	[STACK_BEFORE_ATTACH] = {"[before attach]", "", 0},
};

/* A frame whose code object could not be read. */
static const struct location name_unknown = {"[unknown]", "", 0};

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
	const char *file, *function; /* NULL until all parts came */
	bool dead;		     /* it was so when that was last looked at */
	struct part parts[CODE_PARTS];
};

struct code_objects {
	void *strings; /* trees of <search.h> */
	void *locations;
	void *codes;
	size_t n; /* of codes */
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

/* Strings are compared by address: they are interned. */
static int compare_locations(const void *a, const void *b)
{
	const struct location *x = a, *y = b;
	int order = compare_u64(x->line, y->line);

	if (!order)
		order = compare_u64((uintptr_t)x->file, (uintptr_t)y->file);
	return order ? order : compare_u64((uintptr_t)x->function, (uintptr_t)y->function);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Takes over the string, and returns the one copy of it. */
static const char *intern(struct code_objects *names, char *string)
{
	char **known;

	if (!string)
		return NULL;
	known = tsearch(string, &names->strings, compare_strings);
	if (!known || *known != string)
		free(string);
	return known ? *known : NULL;
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
		return 0; /* known already: it is sent again where that was forgotten */
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

/* A part as interned text; the part itself is done with. */
static const char *take_text(struct code_objects *names, struct part *part)
{
	uint32_t size = part->total;
	char *text;

	/* What came as a C string has its NUL along. */
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
 * The code object that a frame means. A generation is that of a slot which
 * objects share: another one's death moves it on, so the frame's object is the
 * last one that was sent by then.
 */
static const struct code *last_code(struct code_objects *names, __u32 process, __u64 address,
				    __u32 generation)
{
	const struct code *code;

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

const struct location *code_objects__resolve(struct code_objects *names, __u32 process,
					     const struct frame *frame, bool *skip)
{
	const struct code *code =
		last_code(names, process, frame->code, frame->generation & ~FRAME_GENERATOR);
	const struct part *table;
	struct location key, *location, **known;

	*skip = false;
	if (!code || !code->file)
		return &name_unknown;
	key.file = code->file;
	key.function = code->function;
	*skip = !(frame->generation & FRAME_GENERATOR) && frame->position < code->first_traceable;
	table = &code->parts[PART_LINETABLE];
	key.line = line_table__line(code->line_table, table->data, table->total, code->first_line,
				    frame->position);
	known = tfind(&key, &names->locations, compare_locations);
	if (known)
		return *known;
	location = malloc(sizeof(*location));
	if (!location)
		return NULL;
	*location = key;
	if (!tsearch(location, &names->locations, compare_locations)) {
		free(location);
		return NULL;
	}
	return location;
}

/* Code objects that are looked for in the tree. */
struct search {
	bool (*is_wanted)(struct code *code, void *context);
	void *context;
	struct code **found;
	size_t n, room;
};

static void take_wanted(const void *node, VISIT visit, void *context)
{
	struct code *code = *(struct code *const *)node;
	struct search *search = context;
	struct code **more;

	if ((visit != postorder && visit != leaf) || !search->is_wanted(code, search->context))
		return;
	if (search->n == search->room) {
		more = reallocarray(search->found, 2 * search->room + 64, sizeof(*more));
		if (!more)
			return; /* it stays, unused */
		search->found = more;
		search->room = 2 * search->room + 64;
	}
	search->found[search->n++] = code;
}

static void forget(struct code_objects *names, bool (*is_wanted)(struct code *code, void *context),
		   void *context)
{
	struct search search = {.is_wanted = is_wanted, .context = context};
	size_t i;

	twalk_r(names->codes, take_wanted, &search);
	for (i = 0; i < search.n; i++) {
		tdelete(search.found[i], &names->codes, compare_codes);
		free_code(search.found[i]);
	}
	names->n -= search.n;
	free(search.found);
}

static bool is_of_process(struct code *code, void *process)
{
	return code->process == *(__u32 *)process;
}

void code_objects__forget_process(struct code_objects *names, __u32 process)
{
	forget(names, is_of_process, &process);
}

size_t code_objects__count(const struct code_objects *names)
{
	return names->n;
}

/* Dead at two looks: what names it in a record that is still to come, has come by then. */
static bool was_dead(struct code *code, void *context)
{
	const struct code_life *life = context;
	bool was = code->dead;

	/* Process 0: names that markers gave. */
	code->dead = code->process && !life->is_alive(life->context, code->process, code->address);
	return was && code->dead;
}

void code_objects__forget_dead(struct code_objects *names, const struct code_life *life)
{
	forget(names, was_dead, (void *)life);
}

const struct location *location__of_end(enum stack_end end)
{
	return end == STACK_WHOLE ? NULL : &end_names[end];
}
