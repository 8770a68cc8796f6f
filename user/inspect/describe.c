// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/describe.h"
#include "inspect/text.h"

/* Of a str's characters, and of all that is said of an object. */
#define MOST_CHARACTERS 32
#define MOST_VALUES	8

/* PyFloatObject: ob_fval. PyVarObject: ob_size. PyLongObject: its first digit, and its bits.
 * PyDictObject: ma_used. PySetObject: used. */
#define FLOAT_VALUE 16
#define SIZE	    16
#define INT_DIGIT   24
#define DIGIT_BITS  30
#define DICT_USED   16
#define SET_USED    24

struct description {
	struct names *names;
	const struct heap *heap;
	FILE *out;
	int values;
	bool in_namespace; /* which has no other in it */
};

static void put_str(const struct description *description, uint64_t address)
{
	bool more;
	char *text = text__read(description->heap->memory, description->heap->rules.layout, address,
				MOST_CHARACTERS, &more);

	if (text)
		fprintf(description->out, "'%s%s'", text, more ? "…" : "");
	free(text);
}

/* One of up to two digits of 30 bits; others by how long they are. */
static void put_int(const struct description *description, uint64_t address)
{
	int64_t size = memory__word(description->heap->memory, address + SIZE);
	uint64_t digits = memory__word(description->heap->memory, address + INT_DIGIT), value = 0,
		 n;
	bool negative = size < 0;

	n = negative ? -(uint64_t)size : (uint64_t)size;
	if (description->heap->rules.minor >= 12) {
		/* The sign is in the two lowest bits, 1 for zero. */
		negative = (size & 3) == 2;
		n = (size & 3) == 1 ? 0 : (uint64_t)size >> 3;
	}
	if (n > 2) {
		fprintf(description->out, "<int of %" PRIu64 " digits>", n);
		return;
	}
	if (n)
		value = (uint32_t)digits;
	if (n == 2)
		value |= digits >> 32 << DIGIT_BITS;
	fprintf(description->out, "%s%" PRIu64, negative ? "-" : "", value);
}

static void put_float(const struct description *description, uint64_t address)
{
	double value = NAN;

	memory__read(description->heap->memory, address + FLOAT_VALUE, &value, sizeof(value));
	fprintf(description->out, "%.12g", value);
}

static void put_value(const struct description *description, uint64_t address)
{
	const struct heap *heap = description->heap;
	const struct type *type =
		type_table__at(heap->types, memory__word(heap->memory, address + OBJECT_TYPE));
	FILE *out = description->out;

	if (!type)
		fputc('?', out);
	else if (!strcmp(type->name, "NoneType"))
		fputs("None", out);
	else if (!strcmp(type->name, "bool"))
		fputs(memory__word(heap->memory, address + INT_DIGIT) & 1 ? "True" : "False", out);
	else if (!strcmp(type->name, "float"))
		put_float(description, address);
	else if (type->kind == KIND_STR)
		put_str(description, address);
	else if (type->kind == KIND_INT)
		put_int(description, address);
	else if (type->kind == KIND_DICT)
		fprintf(out, "<%s of %" PRIu64 ">", type->name,
			memory__word(heap->memory, address + DICT_USED));
	else if (type->kind == KIND_SET)
		fprintf(out, "<%s of %" PRIu64 ">", type->name,
			memory__word(heap->memory, address + SET_USED));
	else if (type->item_size || type->kind == KIND_LIST || type->kind == KIND_DEQUE ||
		 type->kind == KIND_BYTEARRAY)
		fprintf(out, "<%s of %" PRIu64 ">", type->name,
			memory__word(heap->memory, address + SIZE));
	else
		fprintf(out, "<%s>", type->name);
}

static void put_named(void *context, const char *name, uint64_t address)
{
	struct description *description = context;
	const struct type *type;
	uint32_t node;

	if (name == names__itself) {
		node = nodes__at(&description->heap->nodes, address);
		type = node == NO_NODE ? NULL : heap__type(description->heap, node);
		if (!type || type->kind != KIND_DICT || description->in_namespace)
			return;
		description->in_namespace = true;
		names__visit(description->names, node, true, put_named, description);
		description->in_namespace = false;
		return;
	}
	/* Keys, and what has no name, say nothing. */
	if (name[0] == '{' || !strcmp(name, ".?"))
		return;
	if (description->values++ >= MOST_VALUES) {
		if (description->values == MOST_VALUES + 1)
			fputs(", ...", description->out);
		return;
	}
	fprintf(description->out, "%s%s=", description->values > 1 ? ", " : "",
		name + (name[0] == '.'));
	put_value(description, address);
}

char *describe__object(struct names *names, const struct heap *heap, uint32_t node)
{
	struct description description = {.names = names, .heap = heap};
	const struct type *type = heap__type(heap, node);
	char *text = NULL;
	size_t size;

	description.out = open_memstream(&text, &size);
	if (!description.out)
		return NULL;
	names__visit(names, node, false, put_named, &description);
	if (!description.values && type)
		put_value(&description, heap->nodes.of[node].address);
	if (fclose(description.out)) {
		free(text);
		return NULL;
	}
	return text;
}
