// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/json.h"
#include "base/utf8.h"
#include "render/branches.h"
#include "render/differences.h"
#include "render/folded.h"
#include "render/renderers.h"

#define SCHEMA "pymemtop.diff/1"

static void put_profile(const char *title, const char *file, const struct profile *profile,
			FILE *out)
{
	fprintf(out, "%s %s: %s, mode %s, after %.1f s\n", title, file,
		format_time(profile->time).s, profile->mode, profile->duration_seconds);
}

static void put_place(const struct difference *one, FILE *out)
{
	char *program = one->program[0] ? utf8_from_str((const uint8_t *)one->program,
							strlen(one->program), 0)
					: NULL;

	fputs(program ?: one->location.file, out);
	if (one->location.line)
		fprintf(out, ":%d", one->location.line);
	if (one->location.function[0])
		fprintf(out, " (%s)", one->location.function);
	fputs(one->is_new ? "  new\n" : one->is_gone ? "  gone\n" : "\n", out);
	free(program);
}

static const char *const titles[] = {
	[GROUP_LINE] = "Line (function)",
	[GROUP_FUNCTION] = "Function",
	[GROUP_FILE] = "File",
	[GROUP_OWN_LINE] = "The program's own line, with the libraries that it calls",
	[GROUP_PROCESS] = "Process",
	[GROUP_PROGRAM] = "Program",
};

/* Lines may include what they called: then only the stacks have a sum. */
static int64_t total_of(const struct profile *profile)
{
	int64_t total = 0;
	size_t i;

	for (i = 0; i < profile->nprocesses; i++)
		total += values__held(&profile->schema, &profile->processes[i].total);
	return total;
}

static int render_report(const struct difference_set *set, size_t top, FILE *out)
{
	const struct schema *schema = &set->now->schema;
	const struct differences *differences = &set->differences;
	int64_t before = total_of(set->before), now = total_of(set->now);
	const struct difference *one;
	size_t i;

	put_profile("Before", set->before_file, set->before, out);
	put_profile("Now   ", set->now_file, set->now, out);
	fprintf(out, "\n%12s  %12s  %12s  %s\n", "Change", "Before", "Now", titles[set->by]);
	for (i = 0; i < differences->n && i < top; i++) {
		one = &differences->of[i];
		fprintf(out, "%12s  %12s  %12s  ",
			format_change(values__held(schema, &one->change)).s,
			format_signed(values__held(schema, &one->before)).s,
			format_signed(values__held(schema, &one->now)).s);
		put_place(one, out);
	}
	if (i < differences->n)
		fprintf(out, "%12s  and %s more; --top %zu shows them\n", "...",
			format_count(differences->n - i).s, differences->n);
	if (!differences->n)
		fprintf(out, "%12s  nothing has changed\n", "");
	fprintf(out, "%12s  %12s  %12s  all processes together\n", format_change(now - before).s,
		format_signed(before).s, format_signed(now).s);
	return 0;
}

static void put_values(struct json_writer *writer, const char *name, const struct schema *schema,
		       const struct values *values)
{
	size_t i;

	json__string(writer, name);
	json__open_map(writer);
	for (i = 0; i < schema->n; i++)
		json__integer_member(writer, schema->types[i].name, values->of[i]);
	json__close_map(writer);
}

static int render_json(const struct difference_set *set, size_t top, FILE *out)
{
	const struct schema *schema = &set->now->schema;
	struct json_writer *writer = json_writer__new(out);
	const struct difference *one;
	size_t i;

	(void)top;
	if (!writer)
		return -ENOMEM;
	json__open_map(writer);
	json__string_member(writer, "schema", SCHEMA);
	json__string_member(writer, "mode", set->now->mode);
	json__string_member(writer, "before_time", format_time(set->before->time).s);
	json__string_member(writer, "now_time", format_time(set->now->time).s);
	json__string(writer, "differences");
	json__open_array(writer);
	for (i = 0; i < set->differences.n; i++) {
		one = &set->differences.of[i];
		json__open_map(writer);
		if (one->program[0])
			json__text_member(writer, "program", one->program);
		json__string_member(writer, "file", one->location.file);
		json__integer_member(writer, "line", one->location.line);
		json__string_member(writer, "function", one->location.function);
		put_values(writer, "before", schema, &one->before);
		put_values(writer, "now", schema, &one->now);
		put_values(writer, "change", schema, &one->change);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__close_map(writer);
	return json_writer__end(writer);
}

/* All stacks of both, which are merged where they have the same names. */
static int merge_stacks(const struct difference_set *set, struct branches *branches)
{
	const struct profile *const profiles[] = {set->before, set->now};
	size_t k, i;
	int err = 0;

	for (k = 0; k < 2; k++) {
		for (i = 0; !err && i < profiles[k]->nprocesses; i++)
			err = branches__add(branches, profiles[k], &profiles[k]->processes[i],
					    WEIGHT_BYTES, k == 0);
	}
	if (!err)
		branches__sort(branches);
	return err;
}

/* As wide as now: what is gone cannot be seen. */
static int render_svg(const struct difference_set *set, size_t top, FILE *out)
{
	struct branches branches = {0};
	char title[200];
	int err = merge_stacks(set, &branches);
	struct flame *flame = err ? NULL : flame__new(branches.weight, true, "");

	(void)top;
	if (!err && !flame)
		err = -ENOMEM;
	if (flame)
		flame__compare(flame);
	if (!err)
		err = branches__draw(&branches, NULL, NULL, flame, "all processes together", 0, 0);
	if (err >= 0) {
		snprintf(title, sizeof(title), "pymemtop diff: %s held, %s before (%s)",
			 format_bytes(branches.weight).s, format_bytes(branches.before).s,
			 format_change((int64_t)(branches.weight - branches.before)).s);
		flame__write(
			flame, title,
			"Width: now. Red has grown, blue has shrunk; what is gone is not here.",
			out);
	}
	flame__free(flame);
	branches__free(&branches);
	return err < 0 ? err : 0;
}

/* Lines as difffolded.pl writes them, for flamegraph.pl: a stack, before, and now. */
static int render_folded(const struct difference_set *set, size_t top, FILE *out)
{
	struct branches branches = {0};
	uint64_t before, now;
	size_t i, k, next;
	int err = merge_stacks(set, &branches);

	(void)top;
	for (i = 0; !err && i < branches.n; i = next) {
		before = now = 0;
		for (next = i;
		     next < branches.n && !branch__compare(&branches.of[i], &branches.of[next]);
		     next++) {
			before += branches.of[next].before;
			now += branches.of[next].weight;
		}
		for (k = branches.of[i].nframes; k-- > 0;)
			folded__put_frame(branches.of[i].frames[k], k + 1 < branches.of[i].nframes,
					  out);
		fprintf(out, " %" PRIu64 " %" PRIu64 "\n", before, now);
	}
	branches__free(&branches);
	return err;
}

static const struct differences_renderer renderers[] = {
	{"report", NULL, render_report},
	{"json", ".json", render_json},
	{"folded", ".folded", render_folded},
	{"svg", ".svg", render_svg},
};

const struct differences_renderer *differences_renderer__find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(renderers) / sizeof(renderers[0]); i++) {
		if (!strcmp(renderers[i].name, name))
			return &renderers[i];
	}
	return NULL;
}

const struct differences_renderer *differences_renderer__of_file(const char *file)
{
	size_t i;

	for (i = 0; i < sizeof(renderers) / sizeof(renderers[0]); i++) {
		if (renderers[i].ending && file__ends_with(file, renderers[i].ending))
			return &renderers[i];
	}
	return NULL;
}
