// SPDX-License-Identifier: BSD-2-Clause
/*
 * pprof's format: a gzip'd message Profile of google/pprof's proto/profile.proto, encoded here, as
 * that takes less than a library's code for it. Fields may come in any order, so a string, function
 * or location is written when it is first used.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "profile/values.h"
#include "render/renderer.h"

/* Field numbers of proto/profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	TYPE_TYPE = 1,
	TYPE_UNIT = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_STRING = 2,
	LABEL_NUMBER = 3,
	LOCATION_ID = 1,
	LOCATION_LINE = 4,
	LINE_FUNCTION = 1,
	LINE_LINE = 2,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_FILE = 4,
};

/* Wire types of protocol buffers. */
enum {
	WIRE_VARINT = 0,
	WIRE_BYTES = 2,
};

struct message {
	uint8_t *data;
	size_t n, room;
	bool failed; /* memory was short */
};

/* What was written, by its address: in a profile, equal strings and locations are one. */
struct numbered {
	const void *of, *with; /* functions: the name and the file; else with is NULL */
	uint64_t number;
};

struct string {
	uint64_t index;
	char text[];
};

struct writer {
	struct message profile;
	void *strings, *functions, *locations; /* <search.h> trees */
	uint64_t nstrings, nfunctions, nlocations;
};

static void put_bytes(struct message *message, const void *bytes, size_t n)
{
	size_t room = message->room;
	uint8_t *more;

	while (room < message->n + n)
		room = room ? 2 * room : 4096;
	if (room != message->room && !message->failed) {
		more = realloc(message->data, room);
		message->failed = !more;
		if (more) {
			message->data = more;
			message->room = room;
		}
	}
	if (message->failed)
		return;
	memcpy(message->data + message->n, bytes, n);
	message->n += n;
}

static void put_varint(struct message *message, uint64_t value)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = value | 0x80;
	bytes[n++] = value;
	put_bytes(message, bytes, n);
}

static void put_number(struct message *message, unsigned int field, uint64_t value)
{
	put_varint(message, field << 3 | WIRE_VARINT);
	put_varint(message, value);
}

static void put_field(struct message *message, unsigned int field, const void *bytes, size_t n)
{
	put_varint(message, field << 3 | WIRE_BYTES);
	put_varint(message, n);
	put_bytes(message, bytes, n);
}

/* Puts a message into another, and frees it. */
static void put_message(struct message *to, unsigned int field, struct message *part)
{
	to->failed |= part->failed;
	put_field(to, field, part->data, part->n);
	free(part->data);
	*part = (struct message){0};
}

static int compare_numbered(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return x->with < y->with ? -1 : x->with > y->with;
}

/* Returns the number of what was written, or the next one, in *is_new; 0 if memory is short. */
static uint64_t number_of(struct writer *writer, void **tree, uint64_t *last, const void *of,
			  const void *with, bool *is_new)
{
	struct numbered key = {.of = of, .with = with}, *one, **known;

	known = tfind(&key, tree, compare_numbered);
	*is_new = !known;
	if (known)
		return (*known)->number;
	one = malloc(sizeof(*one));
	if (one)
		*one = key;
	if (!one || !tsearch(one, tree, compare_numbered)) {
		free(one);
		writer->profile.failed = true;
		return 0;
	}
	return one->number = ++*last;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(((const struct string *)a)->text, ((const struct string *)b)->text);
}

/* Returns the string's index. The first is "". */
static uint64_t string_of(struct writer *writer, const char *text)
{
	size_t size = strlen(text) + 1;
	struct string *string = malloc(sizeof(*string) + size), **known = NULL;

	if (string) {
		memcpy(string->text, text, size);
		string->index = writer->nstrings;
		known = tsearch(string, &writer->strings, compare_strings);
	}
	if (!known) {
		free(string);
		writer->profile.failed = true;
		return 0;
	}
	if (*known == string) {
		put_field(&writer->profile, PROFILE_STRING, text, size - 1);
		writer->nstrings++;
	} else {
		free(string);
	}
	return (*known)->index;
}

/* system_name stays empty: where it equals the name, pprof takes "<module>" for a C++ template. */
static uint64_t function_of(struct writer *writer, const struct location *location)
{
	bool has_name = location->function[0], is_new;
	const char *name = has_name ? location->function : location->file;
	uint64_t id = number_of(writer, &writer->functions, &writer->nfunctions, name,
				location->file, &is_new);
	struct message function = {0};

	if (!is_new)
		return id;
	put_number(&function, FUNCTION_ID, id);
	put_number(&function, FUNCTION_NAME, string_of(writer, name));
	put_number(&function, FUNCTION_FILE, string_of(writer, location->file));
	put_message(&writer->profile, PROFILE_FUNCTION, &function);
	return id;
}

static uint64_t location_of(struct writer *writer, const struct location *location)
{
	bool is_new;
	uint64_t id =
		number_of(writer, &writer->locations, &writer->nlocations, location, NULL, &is_new);
	struct message place = {0}, line = {0};

	if (!is_new)
		return id;
	put_number(&line, LINE_FUNCTION, function_of(writer, location));
	put_number(&line, LINE_LINE, location->line);
	put_number(&place, LOCATION_ID, id);
	put_message(&place, LOCATION_LINE, &line);
	put_message(&writer->profile, PROFILE_LOCATION, &place);
	return id;
}

/* In Go's order: consumers take the last one where nothing is chosen. */
static const struct {
	enum value_role role, with; /* what is mapped is held, too */
	const char *type, *unit;
} sample_types[] = {
	{ROLE_ALLOC_COUNT, ROLE_NONE, "alloc_objects", "count"},
	{ROLE_ALLOC_BYTES, ROLE_NONE, "alloc_space", "bytes"},
	{ROLE_INUSE_COUNT, ROLE_MAPPED_COUNT, "inuse_objects", "count"},
	{ROLE_INUSE_BYTES, ROLE_MAPPED_BYTES, "inuse_space", "bytes"},
};

#define SAMPLE_TYPES (sizeof(sample_types) / sizeof(sample_types[0]))

static bool has_role(const struct schema *schema, enum value_role role)
{
	size_t i;

	for (i = 0; i < schema->n && schema->types[i].role != role; i++)
		;
	return i < schema->n;
}

static void put_type(struct writer *writer, unsigned int field, const char *name, const char *unit)
{
	struct message type = {0};

	put_number(&type, TYPE_TYPE, string_of(writer, name));
	put_number(&type, TYPE_UNIT, string_of(writer, unit));
	put_message(&writer->profile, field, &type);
}

static int64_t sample_value(const struct schema *schema, const struct values *values, size_t type)
{
	return values__get(schema, values, sample_types[type].role) +
	       (sample_types[type].with ? values__get(schema, values, sample_types[type].with) : 0);
}

static void put_label(struct writer *writer, struct message *sample, const char *key,
		      const char *string, int64_t number)
{
	struct message label = {0};

	put_number(&label, LABEL_KEY, string_of(writer, key));
	if (string)
		put_number(&label, LABEL_STRING, string_of(writer, string));
	else
		put_number(&label, LABEL_NUMBER, number);
	put_message(sample, SAMPLE_LABEL, &label);
}

/* Writes a stack, if it has any value at all. */
static void put_sample(struct writer *writer, const struct profile *profile,
		       const struct profile_process *process, const struct location *const *frames,
		       size_t nframes, const struct values *values)
{
	struct message sample = {0}, ids = {0}, numbers = {0};
	bool any = false;
	int64_t value;
	char *name;
	size_t i;

	for (i = 0; i < SAMPLE_TYPES; i++) {
		if (!has_role(&profile->schema, sample_types[i].role))
			continue;
		value = sample_value(&profile->schema, values, i);
		put_varint(&numbers, value);
		any |= value != 0;
	}
	if (!any) {
		free(numbers.data);
		return;
	}
	name = utf8_from_str((const uint8_t *)process->comm, strlen(process->comm), 0);
	if (!name) {
		free(numbers.data);
		writer->profile.failed = true;
		return;
	}
	for (i = 0; i < nframes; i++)
		put_varint(&ids, location_of(writer, frames[i]));
	put_message(&sample, SAMPLE_LOCATION, &ids);
	put_message(&sample, SAMPLE_VALUE, &numbers);
	put_label(writer, &sample, "process", name, 0);
	put_label(writer, &sample, "pid", NULL, process->pid);
	free(name);
	put_message(&writer->profile, PROFILE_SAMPLE, &sample);
}

/* Resident memory that is no line's, so that the sum is RssAnon and shared memory. */
static void put_rest(struct writer *writer, const struct profile *profile,
		     const struct profile_process *process)
{
	struct profile_rest rests[PROFILE_RESTS];
	struct values values;
	size_t i, k;

	profile_process__rests(profile, process, rests);
	for (i = 0; i < PROFILE_RESTS; i++) {
		values = (struct values){0};
		for (k = 0; k < profile->schema.n; k++) {
			if (profile->schema.types[k].role == ROLE_INUSE_BYTES)
				values.of[k] = rests[i].bytes;
			else if (profile->schema.types[k].role == ROLE_INUSE_COUNT)
				values.of[k] = rests[i].bytes >> PAGE_SHIFT;
		}
		put_sample(writer, profile, process, &rests[i].location, 1, &values);
	}
}

static void put_profile(struct writer *writer, const struct profile *profile)
{
	const struct profile_process *process;
	size_t i, k;

	string_of(writer, "");
	for (i = 0; i < SAMPLE_TYPES; i++) {
		if (has_role(&profile->schema, sample_types[i].role))
			put_type(writer, PROFILE_SAMPLE_TYPE, sample_types[i].type,
				 sample_types[i].unit);
	}
	for (i = 0; i < profile->nprocesses; i++) {
		process = &profile->processes[i];
		for (k = 0; k < process->nstacks; k++)
			put_sample(writer, profile, process, process->stacks[k].frames,
				   process->stacks[k].nframes, &process->stacks[k].values);
		if (profile->counts_resident)
			put_rest(writer, profile, process);
	}
	put_number(&writer->profile, PROFILE_TIME_NANOS, (uint64_t)profile->time * 1000000000);
	put_type(writer, PROFILE_PERIOD_TYPE, "space", "bytes");
	put_number(&writer->profile, PROFILE_PERIOD, 1);
	put_number(&writer->profile, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(writer, "inuse_space"));
}

/* Level 1: a tenth larger than the best, in a fifth of the time. */
static int put_gzip(const struct message *message, FILE *out)
{
	z_stream stream = {0};
	auto_free uint8_t *packed = NULL;
	size_t size;
	int err;

	if (deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16 /* gzip */, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size = deflateBound(&stream, message->n);
	packed = malloc(size);
	stream.next_in = message->data;
	stream.avail_in = message->n;
	stream.next_out = packed;
	stream.avail_out = size;
	err = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END ? 0 : -ENOMEM;
	if (!err && fwrite(packed, 1, stream.total_out, out) != stream.total_out)
		err = -EIO;
	deflateEnd(&stream);
	return err;
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	struct writer writer = {0};
	int err;

	(void)options;
	put_profile(&writer, profile);
	err = writer.profile.failed ? -ENOMEM : put_gzip(&writer.profile, out);
	tdestroy(writer.strings, free);
	tdestroy(writer.functions, free);
	tdestroy(writer.locations, free);
	free(writer.profile.data);
	return err;
}

const struct renderer pprof_renderer = {
	.name = "pprof",
	.ending = ".pb.gz",
	.help = "for go tool pprof, speedscope and collectors of profiles",
	.is_binary = true,
	.render = render,
};
