// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes all that a profile has, for programs and for profile/load.c; doc/profile.md describes it.
 * Writes it as it goes: a tree of 10,000 stacks would take ten times as long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yajl/yajl_gen.h>

#include "base/utf8.h"
#include "render/renderer.h"
#include "version.h"

#define SCHEMA "pymemtop.profile/1"

/* Hand it to the stream once there is this much. */
#define BUFFER_SIZE (64 << 10)

struct writer {
	yajl_gen gen;
	FILE *out;
	int err; /* the first */
};

static void check(struct writer *writer, yajl_gen_status status)
{
	const unsigned char *text;
	size_t length;

	if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete && !writer->err)
		writer->err = -ENOMEM;
	if (yajl_gen_get_buf(writer->gen, &text, &length) != yajl_gen_status_ok ||
	    length < BUFFER_SIZE)
		return;
	fwrite(text, 1, length, writer->out);
	yajl_gen_clear(writer->gen);
}

static void put_string(struct writer *writer, const char *string)
{
	check(writer, yajl_gen_string(writer->gen, (const unsigned char *)string, strlen(string)));
}

static void put_integer_member(struct writer *writer, const char *name, int64_t value)
{
	put_string(writer, name);
	check(writer, yajl_gen_integer(writer->gen, value));
}

static void put_number_member(struct writer *writer, const char *name, double value)
{
	put_string(writer, name);
	check(writer, yajl_gen_double(writer->gen, value));
}

static void put_string_member(struct writer *writer, const char *name, const char *value)
{
	put_string(writer, name);
	put_string(writer, value);
}

/* For bytes that can be anything. */
static void put_text_member(struct writer *writer, const char *name, const char *bytes)
{
	char *clean = utf8_from_str((const uint8_t *)bytes, strlen(bytes), 0);

	if (!clean && !writer->err)
		writer->err = -ENOMEM;
	put_string_member(writer, name, clean ? clean : "");
	free(clean);
}

static void put_location(struct writer *writer, const struct location *location)
{
	put_string_member(writer, "file", location->file);
	put_integer_member(writer, "line", location->line);
	put_string_member(writer, "function", location->function);
}

/* Levels have no sum over lines; nor have values that are not the lines' own. */
static bool has_total(const struct value_type *type)
{
	return type->kind != VALUE_LEVEL && type->role != ROLE_NONE;
}

static void put_values(struct writer *writer, const struct schema *schema,
		       const struct values *values, bool is_total)
{
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (!is_total || has_total(&schema->types[i]))
			put_integer_member(writer, schema->types[i].name, values->of[i]);
	}
}

/* In the order of the schema; left out if nothing has changed. */
static void put_change(struct writer *writer, const struct schema *schema,
		       const struct values *change)
{
	size_t i;

	if (values__are_zero(schema, change))
		return;
	put_string(writer, "change");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < schema->n; i++)
		check(writer, yajl_gen_integer(writer->gen, change->of[i]));
	check(writer, yajl_gen_array_close(writer->gen));
}

static void put_types(struct writer *writer, const struct profile_line *line)
{
	const struct profile_type *type;

	if (!line->ntypes)
		return;
	put_string(writer, "types");
	check(writer, yajl_gen_array_open(writer->gen));
	for (type = line->types; type < line->types + line->ntypes; type++) {
		check(writer, yajl_gen_map_open(writer->gen));
		put_text_member(writer, "type", type->name);
		put_integer_member(writer, "count", type->count);
		put_integer_member(writer, "bytes", type->bytes);
		check(writer, yajl_gen_map_close(writer->gen));
	}
	check(writer, yajl_gen_array_close(writer->gen));
}

static void put_line(struct writer *writer, const struct schema *schema,
		     const struct profile_line *line)
{
	check(writer, yajl_gen_map_open(writer->gen));
	put_location(writer, line->location);
	put_values(writer, schema, &line->values, false);
	put_integer_member(writer, "increment_bytes",
			   values__get(schema, &line->change, ROLE_INUSE_BYTES));
	put_integer_member(writer, "increment_count",
			   values__get(schema, &line->change, ROLE_INUSE_COUNT));
	put_change(writer, schema, &line->change);
	put_types(writer, line);
	check(writer, yajl_gen_map_close(writer->gen));
}

static void put_stack(struct writer *writer, const struct schema *schema,
		      const struct profile_stack *stack)
{
	size_t i;

	check(writer, yajl_gen_map_open(writer->gen));
	put_string(writer, "frames");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < stack->nframes; i++) {
		check(writer, yajl_gen_map_open(writer->gen));
		put_location(writer, stack->frames[i]);
		check(writer, yajl_gen_map_close(writer->gen));
	}
	check(writer, yajl_gen_array_close(writer->gen));
	put_values(writer, schema, &stack->values, false);
	put_change(writer, schema, &stack->change);
	check(writer, yajl_gen_map_close(writer->gen));
}

static void put_lost(struct writer *writer, const struct profile_process *process)
{
	int cause;

	put_string(writer, "lost");
	check(writer, yajl_gen_map_open(writer->gen));
	for (cause = 0; cause < LOST_CAUSES; cause++)
		put_integer_member(writer, lost__name(cause), process->lost[cause]);
	check(writer, yajl_gen_map_close(writer->gen));
}

static void put_process(struct writer *writer, const struct profile *profile,
			const struct profile_process *process)
{
	const struct schema *schema = &profile->schema;
	size_t i;

	check(writer, yajl_gen_map_open(writer->gen));
	put_integer_member(writer, "pid", process->pid);
	put_integer_member(writer, "parent", process->parent);
	if (process->ended)
		put_integer_member(writer, "ended", process->ended);
	put_text_member(writer, "comm", process->comm);
	put_text_member(writer, "cmdline", process->cmdline);
	put_string_member(writer, "state", process_state__name(process->state));
	put_string_member(writer, "python", process->python);
	put_string_member(writer, "attribution", process->attribution);
	put_integer_member(writer, "rss_bytes", process->rss_bytes);
	put_integer_member(writer, "rss_at_attach_bytes", process->rss_at_attach_bytes);
	put_values(writer, schema, &process->total, true);
	if (profile->counts_resident) {
		put_integer_member(writer, "rss_anon_bytes", process->rss_anon_bytes);
		put_integer_member(writer, "before_attach_bytes", process->before_attach_bytes);
		put_integer_member(writer, "unattributed_bytes", process->unattributed_bytes);
	}
	if (profile->counts_arenas) {
		put_integer_member(writer, "small_bytes", process->small_bytes);
		put_integer_member(writer, "small_arenas", process->small_arenas);
		put_integer_member(writer, "small_arena_size", process->small_arena_size);
	}
	if (profile->counts_small) {
		put_integer_member(writer, "small_before_bytes", process->small_before_bytes);
		put_integer_member(writer, "small_unattributed_bytes",
				   process->small_unattributed_bytes);
	}
	put_lost(writer, process);
	put_string(writer, "lines");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < process->nlines; i++)
		put_line(writer, schema, &process->lines[i]);
	check(writer, yajl_gen_array_close(writer->gen));
	put_string(writer, "stacks");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < process->nstacks; i++)
		put_stack(writer, schema, &process->stacks[i]);
	check(writer, yajl_gen_array_close(writer->gen));
	check(writer, yajl_gen_map_close(writer->gen));
}

static void put_schema(struct writer *writer, const struct schema *schema)
{
	const struct value_type *type;
	size_t i;

	put_string(writer, "values");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < schema->n; i++) {
		type = &schema->types[i];
		check(writer, yajl_gen_map_open(writer->gen));
		put_string_member(writer, "name", type->name);
		if (type->title)
			put_string_member(writer, "title", type->title);
		put_string_member(writer, "kind", value_kind__name(type->kind));
		put_string_member(writer, "role", value_role__name(type->role));
		check(writer, yajl_gen_map_close(writer->gen));
	}
	check(writer, yajl_gen_array_close(writer->gen));
}

static void put_profile(struct writer *writer, const struct profile *profile)
{
	char time[32] = "";
	struct tm tm;
	size_t i;

	if (gmtime_r(&profile->time, &tm))
		strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	check(writer, yajl_gen_map_open(writer->gen));
	put_string_member(writer, "schema", SCHEMA);
	put_string_member(writer, "version", PYMEMTOP_VERSION);
	put_text_member(writer, "host", profile->host);
	put_string_member(writer, "time", time);
	put_number_member(writer, "duration_seconds", profile->duration_seconds);
	put_number_member(writer, "interval_seconds", profile->interval_seconds);
	put_integer_member(writer, "map_bytes", profile->map_bytes);
	put_string_member(writer, "mode", profile->mode);
	put_schema(writer, &profile->schema);
	put_string(writer, "processes");
	check(writer, yajl_gen_array_open(writer->gen));
	for (i = 0; i < profile->nprocesses; i++)
		put_process(writer, profile, &profile->processes[i]);
	check(writer, yajl_gen_array_close(writer->gen));
	check(writer, yajl_gen_map_close(writer->gen));
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	struct writer writer = {.gen = yajl_gen_alloc(NULL), .out = out};
	const unsigned char *text;
	size_t length;

	(void)options;
	if (!writer.gen)
		return -ENOMEM;
	yajl_gen_config(writer.gen, yajl_gen_beautify, 1);
	yajl_gen_config(writer.gen, yajl_gen_indent_string, " ");
	put_profile(&writer, profile);
	if (yajl_gen_get_buf(writer.gen, &text, &length) == yajl_gen_status_ok)
		fwrite(text, 1, length, out);
	yajl_gen_free(writer.gen);
	return writer.err ? writer.err : ferror(out) ? -EIO : 0;
}

const struct renderer json_renderer = {
	.name = "json",
	.help = "everything, for programs: schema " SCHEMA,
	.shows_lost = true,
	.repeats = true,
	.render = render,
};
