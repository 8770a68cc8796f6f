// SPDX-License-Identifier: BSD-2-Clause
/* Writes all that a profile has, for programs and for profile/load.c; doc/profile.md describes it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/json.h"
#include "render/renderer.h"
#include "version.h"

#define SCHEMA "pymemtop.profile/1"

static void put_location(struct json_writer *writer, const struct location *location)
{
	json__string_member(writer, "file", location->file);
	json__integer_member(writer, "line", location->line);
	json__string_member(writer, "function", location->function);
}

/* Levels have no sum over lines; nor have values that are not the lines' own. */
static bool has_total(const struct value_type *type)
{
	return type->kind != VALUE_LEVEL && type->role != ROLE_NONE;
}

static void put_values(struct json_writer *writer, const struct schema *schema,
		       const struct values *values, bool is_total)
{
	size_t i;

	for (i = 0; i < schema->n; i++) {
		if (!is_total || has_total(&schema->types[i]))
			json__integer_member(writer, schema->types[i].name, values->of[i]);
	}
}

/* In the order of the schema; left out if nothing has changed. */
static void put_change(struct json_writer *writer, const struct schema *schema,
		       const struct values *change)
{
	size_t i;

	if (values__are_zero(schema, change))
		return;
	json__string(writer, "change");
	json__open_array(writer);
	for (i = 0; i < schema->n; i++)
		json__integer(writer, change->of[i]);
	json__close_array(writer);
}

static void put_types(struct json_writer *writer, const struct profile_line *line)
{
	const struct profile_type *type;

	if (!line->ntypes)
		return;
	json__string(writer, "types");
	json__open_array(writer);
	for (type = line->types; type < line->types + line->ntypes; type++) {
		json__open_map(writer);
		json__text_member(writer, "type", type->name);
		json__integer_member(writer, "count", type->count);
		json__integer_member(writer, "bytes", type->bytes);
		json__close_map(writer);
	}
	json__close_array(writer);
}

static void put_changing(struct json_writer *writer, uint64_t count, uint64_t bytes,
			 int64_t count_change, int64_t bytes_change)
{
	json__integer_member(writer, "count", count);
	json__integer_member(writer, "bytes", bytes);
	json__integer_member(writer, "count_change", count_change);
	json__integer_member(writer, "bytes_change", bytes_change);
}

static void put_look(struct json_writer *writer, const struct profile_alive *alive)
{
	const struct profile_alive_type *type;

	json__number_member(writer, "first_seconds", alive->first_seconds);
	json__number_member(writer, "seconds", alive->seconds);
	put_changing(writer, alive->count, alive->bytes, alive->count_change, alive->bytes_change);
	json__string(writer, "types");
	json__open_array(writer);
	for (type = alive->types; type < alive->types + alive->ntypes; type++) {
		json__open_map(writer);
		json__text_member(writer, "type", type->now.name);
		if (type->file)
			json__text_member(writer, "file", type->file);
		if (type->line)
			json__integer_member(writer, "line", type->line);
		put_changing(writer, type->now.count, type->now.bytes, type->count_change,
			     type->bytes_change);
		json__close_map(writer);
	}
	json__close_array(writer);
}

static void put_alive(struct json_writer *writer, const struct profile_alive *alive)
{
	if (!alive->types && !alive->why)
		return;
	json__string(writer, "alive");
	json__open_map(writer);
	if (alive->why)
		json__string_member(writer, "why", alive->why);
	if (alive->types)
		put_look(writer, alive);
	json__close_map(writer);
}

static void put_mapped(struct json_writer *writer, const struct profile_process *process)
{
	size_t i;

	json__string(writer, "mapped");
	json__open_array(writer);
	for (i = 0; i < process->nmapped; i++) {
		json__open_map(writer);
		json__string_member(writer, "name", process->mapped[i].name);
		json__integer_member(writer, "shared", process->mapped[i].shared);
		json__integer_member(writer, "bytes", process->mapped[i].bytes);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__integer_member(writer, "mapped_rest_bytes", process->mapped_rest_bytes);
}

static void put_line(struct json_writer *writer, const struct schema *schema,
		     const struct profile_line *line)
{
	json__open_map(writer);
	put_location(writer, line->location);
	put_values(writer, schema, &line->values, false);
	json__integer_member(writer, "increment_bytes",
			     values__get(schema, &line->change, ROLE_INUSE_BYTES));
	json__integer_member(writer, "increment_count",
			     values__get(schema, &line->change, ROLE_INUSE_COUNT));
	put_change(writer, schema, &line->change);
	put_types(writer, line);
	json__close_map(writer);
}

static void put_stack(struct json_writer *writer, const struct schema *schema,
		      const struct profile_stack *stack)
{
	size_t i;

	json__open_map(writer);
	json__string(writer, "frames");
	json__open_array(writer);
	for (i = 0; i < stack->nframes; i++) {
		json__open_map(writer);
		put_location(writer, stack->frames[i]);
		json__close_map(writer);
	}
	json__close_array(writer);
	put_values(writer, schema, &stack->values, false);
	put_change(writer, schema, &stack->change);
	json__close_map(writer);
}

static void put_lost(struct json_writer *writer, const struct profile_process *process)
{
	int cause;

	json__string(writer, "lost");
	json__open_map(writer);
	for (cause = 0; cause < LOST_CAUSES; cause++)
		json__integer_member(writer, lost__name(cause), process->lost[cause]);
	json__close_map(writer);
}

static void put_process(struct json_writer *writer, const struct profile *profile,
			const struct profile_process *process)
{
	const struct schema *schema = &profile->schema;
	size_t i;

	json__open_map(writer);
	json__integer_member(writer, "pid", process->program ? 0 : process->pid);
	if (process->program) {
		json__string_member(writer, "program", process->program);
		json__integer_member(writer, "members", process->members);
		json__integer_member(writer, "running", process->running);
	}
	json__integer_member(writer, "parent", process->parent);
	if (process->ended)
		json__integer_member(writer, "ended", process->ended);
	json__text_member(writer, "comm", process->comm);
	json__text_member(writer, "cmdline", process->cmdline);
	json__string_member(writer, "state", process_state__name(process->state));
	json__string_member(writer, "python", process->python);
	json__string_member(writer, "attribution", process->attribution);
	if (process->unit)
		json__string_member(writer, "unit", process->unit);
	if (process->container)
		json__string_member(writer, "container", process->container);
	if (process->pod)
		json__string_member(writer, "pod", process->pod);
	json__integer_member(writer, "rss_bytes", process->rss_bytes);
	json__integer_member(writer, "rss_file_bytes", process->rss_file_bytes);
	json__integer_member(writer, "rss_shared_bytes", process->rss_shared_bytes);
	json__integer_member(writer, "rss_at_attach_bytes", process->rss_at_attach_bytes);
	put_values(writer, schema, &process->total, true);
	if (profile->sums_callers)
		json__integer_member(writer, "elsewhere_bytes", process->elsewhere_bytes);
	if (profile->counts_resident) {
		json__integer_member(writer, "rss_anon_bytes", process->rss_anon_bytes);
		json__integer_member(writer, "before_attach_bytes", process->before_attach_bytes);
		json__integer_member(writer, "unattributed_bytes", process->unattributed_bytes);
		json__integer_member(writer, "shared_mapped_bytes", process->shared_bytes);
		json__integer_member(writer, "shared_before_bytes", process->shared_before_bytes);
		json__integer_member(writer, "shared_unattributed_bytes",
				     process->shared_unattributed_bytes);
	}
	if (profile->counts_arenas) {
		json__integer_member(writer, "small_bytes", process->small_bytes);
		json__integer_member(writer, "small_arenas", process->small_arenas);
		json__integer_member(writer, "small_arena_size", process->small_arena_size);
	}
	if (profile->counts_small) {
		json__integer_member(writer, "small_before_bytes", process->small_before_bytes);
		json__integer_member(writer, "small_unattributed_bytes",
				     process->small_unattributed_bytes);
		json__number_member(writer, "small_seen_seconds", process->small_seen_seconds);
	}
	if (profile->at_peak) {
		json__integer_member(writer, "peak_bytes", process->peak_bytes);
		json__number_member(writer, "peak_seconds", process->peak_seconds);
	}
	put_lost(writer, process);
	put_alive(writer, &process->alive);
	if (process->mapped)
		put_mapped(writer, process);
	json__string(writer, "lines");
	json__open_array(writer);
	for (i = 0; i < process->nlines; i++)
		put_line(writer, schema, &process->lines[i]);
	json__close_array(writer);
	json__string(writer, "stacks");
	json__open_array(writer);
	for (i = 0; i < process->nstacks; i++)
		put_stack(writer, schema, &process->stacks[i]);
	json__close_array(writer);
	json__close_map(writer);
}

static void put_schema(struct json_writer *writer, const struct schema *schema)
{
	const struct value_type *type;
	size_t i;

	json__string(writer, "values");
	json__open_array(writer);
	for (i = 0; i < schema->n; i++) {
		type = &schema->types[i];
		json__open_map(writer);
		json__string_member(writer, "name", type->name);
		if (type->title)
			json__string_member(writer, "title", type->title);
		json__string_member(writer, "kind", value_kind__name(type->kind));
		json__string_member(writer, "role", value_role__name(type->role));
		json__close_map(writer);
	}
	json__close_array(writer);
}

static void put_windows(struct json_writer *writer, const struct profile_windows *windows)
{
	json__string(writer, "windows");
	json__open_map(writer);
	json__integer_member(writer, "count", windows->n);
	json__number_member(writer, "seconds", windows->seconds);
	json__number_member(writer, "min_age_seconds", windows->min_age);
	json__number_member(writer, "max_overhead", windows->max_overhead);
	json__number_member(writer, "overhead", windows->overhead);
	json__close_map(writer);
}

static void put_cost(struct json_writer *writer, const struct profile_cost *cost)
{
	json__string(writer, "cost");
	json__open_map(writer);
	json__number_member(writer, "cpu_share", cost->cpu_share);
	json__number_member(writer, "cpu_share_now", cost->cpu_share_now);
	json__number_member(writer, "runs_per_second", cost->runs_a_second);
	json__number_member(writer, "traps_per_second", cost->traps_a_second);
	json__close_map(writer);
}

static void put_profile(struct json_writer *writer, const struct profile *profile)
{
	size_t i;

	json__open_map(writer);
	json__string_member(writer, "schema", SCHEMA);
	json__string_member(writer, "version", PYMEMTOP_VERSION);
	json__text_member(writer, "host", profile->host);
	json__string_member(writer, "time", format_time(profile->time).s);
	if (profile->windows.max_overhead > 0)
		put_windows(writer, &profile->windows);
	if (profile->cost.known)
		put_cost(writer, &profile->cost);
	json__number_member(writer, "duration_seconds", profile->duration_seconds);
	json__number_member(writer, "interval_seconds", profile->interval_seconds);
	json__integer_member(writer, "map_bytes", profile->map_bytes);
	json__string_member(writer, "mode", profile->mode);
	put_schema(writer, &profile->schema);
	if (profile->sums_callers)
		json__string_member(writer, "line_values", LINES_CUMULATIVE);
	json__string(writer, "processes");
	json__open_array(writer);
	for (i = 0; i < profile->nprocesses; i++)
		put_process(writer, profile, &profile->processes[i]);
	json__close_array(writer);
	json__close_map(writer);
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	struct json_writer *writer = json_writer__new(out);

	(void)options;
	if (!writer)
		return -ENOMEM;
	put_profile(writer, profile);
	return json_writer__end(writer);
}

const struct renderer json_renderer = {
	.name = "json",
	.ending = ".json",
	.help = "everything, for programs: schema " SCHEMA,
	.shows_lost = true,
	.repeats = true,
	.render = render,
};
