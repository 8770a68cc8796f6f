// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/utf8.h"
#include "render/renderer.h"
#include "version.h"

/* Jansson's packing functions take json_int_t for I, and free what they are given
 * with o also when they fail. */
static json_t *text(const char *bytes)
{
	char *clean = utf8_from_str((const uint8_t *)bytes, strlen(bytes), 0);
	json_t *value = clean ? json_string(clean) : NULL;

	free(clean);
	return value;
}

static json_t *place_object(const struct location *location)
{
	return json_pack("{s:s, s:i, s:s}", "file", location->file, "line", location->line,
			 "function", location->function);
}

static int add_amounts(json_t *object, const struct value_type *schema, const struct values *values,
		       bool is_total)
{
	int err = 0;

	for (; !err && schema->member; schema++) {
		if (is_total && schema->kind == VALUE_LEVEL)
			continue;
		err = json_object_set_new(object, schema->member,
					  json_integer(value_type__of(schema, values)));
	}
	return err;
}

static json_t *line_object(const struct value_type *schema, const struct profile_line *line)
{
	json_t *object = place_object(line->location);

	if (object &&
	    (add_amounts(object, schema, &line->values, false) ||
	     json_object_set_new(object, "increment_bytes", json_integer(line->increment_bytes)) ||
	     json_object_set_new(object, "increment_count", json_integer(line->increment_count)))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *stack_object(const struct value_type *schema, const struct profile_stack *stack)
{
	json_t *frames = json_array(), *object;
	size_t i;

	for (i = 0; i < stack->nframes; i++)
		json_array_append_new(frames, place_object(stack->frames[i]));
	object = json_pack("{s:o}", "frames", frames);
	if (object && (json_array_size(frames) != stack->nframes ||
		       add_amounts(object, schema, &stack->values, false))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *lost_object(const struct profile_process *process)
{
	json_t *object = json_object();
	int cause;

	for (cause = 0; cause < LOST_CAUSES; cause++)
		json_object_set_new(object, lost__name(cause), json_integer(process->lost[cause]));
	return object;
}

static const char *state_name(enum process_state state)
{
	return state == PROCESS_EXITED ? "exited" : state == PROCESS_EXECED ? "execed" : "running";
}

static int add_resident(json_t *object, const struct profile_process *process)
{
	json_t *values =
		json_pack("{s:I, s:I, s:I}", "rss_anon_bytes", (json_int_t)process->rss_anon_bytes,
			  "before_attach_bytes", (json_int_t)process->before_attach_bytes,
			  "unattributed_bytes", (json_int_t)process->unattributed_bytes);
	int err = json_object_update(object, values);

	json_decref(values);
	return err;
}

static json_t *process_object(const struct profile *profile, const struct profile_process *process)
{
	const struct value_type *schema = profile->schema;
	json_t *lines = json_array(), *stacks = json_array(), *object;
	size_t i;

	for (i = 0; i < process->nlines; i++)
		json_array_append_new(lines, line_object(schema, &process->lines[i]));
	for (i = 0; i < process->nstacks; i++)
		json_array_append_new(stacks, stack_object(schema, &process->stacks[i]));
	object = json_pack("{s:i, s:i, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "pid",
			   process->pid, "parent", process->parent, "comm", text(process->comm),
			   "cmdline", text(process->cmdline), "state", state_name(process->state),
			   "python", process->python, "attribution", process->attribution,
			   "rss_bytes", (json_int_t)process->rss_bytes, "rss_at_attach_bytes",
			   (json_int_t)process->rss_at_attach_bytes, "lost", lost_object(process),
			   "lines", lines, "stacks", stacks);
	if (object && (json_array_size(lines) != process->nlines ||
		       json_array_size(stacks) != process->nstacks ||
		       add_amounts(object, schema, &process->total, true) ||
		       (profile->counts_resident && add_resident(object, process)))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	json_t *processes = json_array(), *object;
	char time[32] = "";
	struct tm tm;
	size_t i;
	int err;

	(void)options;
	if (gmtime_r(&profile->time, &tm))
		strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	for (i = 0; i < profile->nprocesses; i++)
		json_array_append_new(processes, process_object(profile, &profile->processes[i]));
	object = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:I, s:s, s:o}", "schema",
			   "pymemtop.profile/1", "version", PYMEMTOP_VERSION, "host", profile->host,
			   "time", time, "duration_seconds", profile->duration_seconds,
			   "interval_seconds", profile->interval_seconds, "map_bytes",
			   (json_int_t)profile->map_bytes, "mode", profile->mode, "processes",
			   processes);
	if (!object)
		return -ENOMEM;
	err = json_array_size(processes) == profile->nprocesses ? 0 : -ENOMEM;
	if (!err && (json_dumpf(object, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) ||
		     putc('\n', out) == EOF))
		err = -EIO;
	json_decref(object);
	return err;
}

const struct renderer json_renderer = {
	.name = "json",
	.help = "everything, for programs: schema pymemtop.profile/1",
	.shows_lost = true,
	.repeats = true,
	.render = render,
};
