// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "base/json.h"
#include "base/utf8.h"

/* Hand it to the stream once there is this much. */
#define BUFFER_SIZE (64 << 10)

struct json_writer {
	yajl_gen gen;
	FILE *out;
	int err; /* the first */
};

struct json_writer *json_writer__new(FILE *out)
{
	struct json_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->out = out;
	writer->gen = yajl_gen_alloc(NULL);
	if (!writer->gen) {
		free(writer);
		return NULL;
	}
	yajl_gen_config(writer->gen, yajl_gen_beautify, 1);
	yajl_gen_config(writer->gen, yajl_gen_indent_string, " ");
	return writer;
}

/* Hands to the stream what there is, if it is at least that much. */
static void flush(struct json_writer *writer, size_t least)
{
	const unsigned char *text;
	size_t length;

	if (yajl_gen_get_buf(writer->gen, &text, &length) != yajl_gen_status_ok || length < least)
		return;
	fwrite(text, 1, length, writer->out);
	yajl_gen_clear(writer->gen);
}

int json_writer__end(struct json_writer *writer)
{
	int err;

	flush(writer, 0);
	err = writer->err ? writer->err : ferror(writer->out) ? -EIO : 0;
	yajl_gen_free(writer->gen);
	free(writer);
	return err;
}

static void check(struct json_writer *writer, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete && !writer->err)
		writer->err = -ENOMEM;
	flush(writer, BUFFER_SIZE);
}

void json__open_map(struct json_writer *writer)
{
	check(writer, yajl_gen_map_open(writer->gen));
}

void json__close_map(struct json_writer *writer)
{
	check(writer, yajl_gen_map_close(writer->gen));
}

void json__open_array(struct json_writer *writer)
{
	check(writer, yajl_gen_array_open(writer->gen));
}

void json__close_array(struct json_writer *writer)
{
	check(writer, yajl_gen_array_close(writer->gen));
}

void json__string(struct json_writer *writer, const char *string)
{
	check(writer, yajl_gen_string(writer->gen, (const unsigned char *)string, strlen(string)));
}

void json__integer(struct json_writer *writer, int64_t value)
{
	check(writer, yajl_gen_integer(writer->gen, value));
}

void json__integer_member(struct json_writer *writer, const char *name, int64_t value)
{
	json__string(writer, name);
	json__integer(writer, value);
}

void json__number_member(struct json_writer *writer, const char *name, double value)
{
	json__string(writer, name);
	check(writer, yajl_gen_double(writer->gen, value));
}

void json__string_member(struct json_writer *writer, const char *name, const char *value)
{
	json__string(writer, name);
	json__string(writer, value);
}

void json__text_member(struct json_writer *writer, const char *name, const char *bytes)
{
	char *clean = utf8_from_str((const uint8_t *)bytes, strlen(bytes), 0);

	if (!clean && !writer->err)
		writer->err = -ENOMEM;
	json__string_member(writer, name, clean ? clean : "");
	free(clean);
}
