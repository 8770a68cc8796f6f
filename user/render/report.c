// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/format.h"
#include "base/utf8.h"
#include "profile/group.h"
#include "render/renderer.h"
#include "render/report_alive.h"
#include "render/report_mapped.h"

/* Lines of source to show before and after one that holds memory. */
#define CONTEXT 2

/* The sum of one line of a source file, over all its functions. */
struct row {
	int line;
	struct values values;
	struct values change;
};

static void put_lost(const struct profile_process *process, FILE *out)
{
	bool any = false;
	int cause;

	for (cause = 0; cause < LOST_CAUSES; cause++) {
		if (!process->lost[cause])
			continue;
		fprintf(out, "%s%s %s (%s)", any ? "; " : "  Lost         ",
			format_count(process->lost[cause]).s, lost__name(cause), lost__help(cause));
		any = true;
	}
	fprintf(out, "%s\n", any ? "" : "  Lost         nothing");
}

static void put_state(const struct profile_process *process, FILE *out)
{
	if (process->ended)
		fputs("  State        what is outstanding is as it was when each ended\n", out);
	else if (process->state == PROCESS_EXITED)
		fputs("  State        has exited; what is outstanding is as it was then\n", out);
	else if (process->state == PROCESS_EXECED)
		fputs("  State        has executed another program, and is recorded no more\n",
		      out);
}

/* Pages of files have no line. */
static void put_rss(const struct profile_process *process, FILE *out)
{
	uint64_t others = process->rss_file_bytes + process->rss_shared_bytes;

	fprintf(out, "  RSS          %s at the attach, %s now",
		format_bytes(process->rss_at_attach_bytes).s,
		process->rss_bytes ? format_bytes(process->rss_bytes).s : "gone");
	if (process->rss_bytes > others && others)
		fprintf(out, " = %s anonymous + %s of files + %s shared",
			format_bytes(process->rss_bytes - others).s,
			format_bytes(process->rss_file_bytes).s,
			format_bytes(process->rss_shared_bytes).s);
	fputc('\n', out);
}

static void put_outstanding(const struct profile *profile, const struct profile_process *process,
			    FILE *out)
{
	const struct schema *schema = &profile->schema;
	const struct values *total = &process->total;

	fprintf(out, "  Outstanding  %s in %s blocks (%s), and %s in %s direct mappings\n",
		format_bytes(values__get(schema, total, ROLE_INUSE_BYTES)).s,
		format_count(values__get(schema, total, ROLE_INUSE_COUNT)).s,
		format_change(values__get(schema, &process->change, ROLE_INUSE_BYTES)).s,
		format_bytes(values__get(schema, total, ROLE_MAPPED_BYTES)).s,
		format_count(values__get(schema, total, ROLE_MAPPED_COUNT)).s);
}

/* Then lines are as they were at the peak. */
static void put_peak(const struct profile *profile, const struct profile_process *process,
		     FILE *out)
{
	const struct schema *schema = &profile->schema;
	const struct values *total = &process->total;

	fprintf(out, "  Peak         %s in %s blocks, and %s in %s direct mappings",
		format_bytes(values__get(schema, total, ROLE_INUSE_BYTES)).s,
		format_count(values__get(schema, total, ROLE_INUSE_COUNT)).s,
		format_bytes(values__get(schema, total, ROLE_MAPPED_BYTES)).s,
		format_count(values__get(schema, total, ROLE_MAPPED_COUNT)).s);
	if (process->peak_bytes)
		fprintf(out, ", %.3f s after the attach", process->peak_seconds);
	fputs(": lines are as they were then\n", out);
}

/* What is an estimate, and of what. */
static void put_windows(const struct profile *profile, const struct profile_process *process,
			FILE *out)
{
	const struct profile_windows *windows = &profile->windows;
	const struct schema *schema = &profile->schema;

	fprintf(out,
		"  Kept         about %s in %s blocks (%s): estimates, by what still lives after %.3g s\n",
		format_bytes(values__get(schema, &process->total, ROLE_INUSE_BYTES)).s,
		format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s,
		format_change(values__get(schema, &process->change, ROLE_INUSE_BYTES)).s,
		windows->min_age);
	fprintf(out,
		"  Watched      %.2f s in %s windows; that has cost %.1f %% of the targets' CPU time, of "
		"%.3g %% that it may\n",
		windows->seconds, format_count(windows->n).s, 100 * windows->overhead,
		100 * windows->max_overhead);
}

static void put_added(const struct profile *profile, const struct profile_process *process,
		      FILE *out)
{
	fprintf(out,
		"  Added        %s, of it %s by none of the lines below; a line has what it called\n",
		format_signed(values__get(&profile->schema, &process->total, ROLE_INUSE_BYTES)).s,
		format_signed(process->elsewhere_bytes).s);
}

static void put_resident(const struct profile *profile, const struct profile_process *process,
			 FILE *out)
{
	const struct schema *schema = &profile->schema;

	fprintf(out,
		"  RssAnon      %s = %s before the attach + %s of the lines (%s) + %s in arenas + %s "
		"unattributed\n",
		format_bytes(process->rss_anon_bytes).s,
		format_bytes(process->before_attach_bytes).s, format_bytes(process->total.of[0]).s,
		format_change(process->change.of[0]).s,
		format_bytes(values__get(schema, &process->total, ROLE_ARENA_BYTES)).s,
		format_signed(process->unattributed_bytes).s);
	if (process->shared_bytes)
		fprintf(out,
			"  Shared       %s in shared mappings = %s before the attach + %s of the lines (%s) + %s "
			"unattributed\n",
			format_bytes(process->shared_bytes).s,
			format_bytes(process->shared_before_bytes).s,
			format_bytes(values__get(schema, &process->total, ROLE_MAPPED_BYTES)).s,
			format_change(values__get(schema, &process->change, ROLE_MAPPED_BYTES)).s,
			format_signed(process->shared_unattributed_bytes).s);
	fputs("  First touch  is whose pages came first; what was freed and is used again stays there: "
	      "--mode objects tells who keeps\n",
	      out);
}

/* Prints pymalloc's own record; in mode objects, the lines' part is the difference. */
static void put_small(const struct profile *profile, const struct profile_process *process,
		      FILE *out)
{
	uint64_t others = process->small_before_bytes + process->small_unattributed_bytes;

	fprintf(out, "  Small        %s in objects of up to 512 bytes, in %s arenas of %s",
		format_bytes(process->small_bytes).s, format_count(process->small_arenas).s,
		format_bytes(process->small_arena_size).s);
	if (profile->counts_small)
		fprintf(out, " = %s before the attach + %s of the lines + %s unattributed\n",
			format_bytes(process->small_before_bytes).s,
			format_bytes(process->small_bytes - others).s,
			format_bytes(process->small_unattributed_bytes).s);
	else
		fputs("; --mode objects names their lines\n", out);
}

/* Of a process that has ended: what it made after the last look is not known. */
static void put_last_small(const struct profile_process *process, FILE *out)
{
	if (process->small_seen_seconds < 0)
		fputs("  Small        objects of up to 512 bytes were not seen: it ended before the first look\n",
		      out);
	else
		fprintf(out,
			"  Small        objects of up to 512 bytes are those of the last look before its end, %.1f s "
			"after the attach\n",
			process->small_seen_seconds);
}

static void put_cost(const struct profile_cost *cost, FILE *out)
{
	fprintf(out,
		"  Cost         about %.1f %% of the recorded processes' CPU time: %s runs of programs a second, "
		"%s of them in traps\n",
		100 * cost->cpu_share, format_count(cost->runs_a_second).s,
		format_count(cost->traps_a_second).s);
}

static void put_cgroup(const struct profile_process *process, FILE *out)
{
	const struct {
		const char *what, *name;
		int most; /* characters: of a container's id everybody knows the first twelve */
	} parts[] = {
		{"unit", process->unit, 96},
		{"container", process->container, 12},
		{"pod", process->pod, 36},
	};
	const char *between = "  Runs in      ";
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].name)
			continue;
		fprintf(out, "%s%s %.*s", between, parts[i].what, parts[i].most, parts[i].name);
		between = ", ";
	}
	if (between[0] == ',')
		fputc('\n', out);
}

static void put_header(const struct profile *profile, const struct profile_process *process,
		       FILE *out)
{
	char *cmdline =
		utf8_from_str((const uint8_t *)process->cmdline, strlen(process->cmdline), 0);

	if (process->program)
		fprintf(out, "Program %s, %s processes, of which %s run", process->program,
			format_count(process->members).s, format_count(process->running).s);
	else if (process->ended)
		fprintf(out, "%s children of %d that have ended, together",
			format_count(process->ended).s, process->parent);
	else
		fprintf(out, "Process %d", process->pid);
	if (process->parent && !process->ended && !process->program)
		fprintf(out, " (child of %d)", process->parent);
	fprintf(out, ": %s\n", cmdline && cmdline[0] ? cmdline : process->comm);
	put_cgroup(process, out);
	fprintf(out, "  Python       CPython %s, mode %s, attribution %s\n", process->python,
		profile->mode, process->attribution);
	fprintf(out, "  Duration     %.1f s since the attach, increments over the last %.1f s\n",
		profile->duration_seconds, profile->interval_seconds);
	put_rss(process, out);
	if (profile->counts_resident)
		put_resident(profile, process, out);
	else if (profile->sums_callers)
		put_added(profile, process, out);
	else if (profile->windows.max_overhead > 0)
		put_windows(profile, process, out);
	else if (profile->at_peak)
		put_peak(profile, process, out);
	else
		put_outstanding(profile, process, out);
	if (profile->counts_arenas && process->small_arenas)
		put_small(profile, process, out);
	else if (profile->counts_small && process->state == PROCESS_EXITED && !process->ended)
		put_last_small(process, out);
	fprintf(out, "  Maps         %s of kernel memory, to record all processes\n",
		format_bytes(profile->map_bytes).s);
	if (profile->cost.known)
		put_cost(&profile->cost, out);
	put_lost(process, out);
	put_state(process, out);
	free(cmdline);
}

static void put_location(const struct location *location, FILE *out)
{
	fputs(location->file, out);
	if (location->line)
		fprintf(out, ":%d", location->line);
	if (location->function[0])
		fprintf(out, " (%s)", location->function);
}

/* Counts lines that hold something, or did. The others only needed an arena. */
static size_t count_holders(const struct profile *profile, const struct profile_process *process)
{
	size_t n = 0, i;

	for (i = 0; i < process->nlines; i++)
		n += !values__are_arenas(&profile->schema, &process->lines[i].values);
	return n;
}

static size_t top_of(const struct profile *profile, const struct profile_process *process,
		     const struct render_options *options)
{
	size_t n = count_holders(profile, process);

	return n < options->top ? n : options->top;
}

/* Types to show of each line. */
#define LINE_TYPES 4

/* Prints the live objects of a line: "Event x 26,046, str x 52,092". */
static void put_types(const struct profile_line *line, FILE *out)
{
	size_t i;

	if (!line->ntypes)
		return;
	fprintf(out, "%14s", "");
	for (i = 0; i < line->ntypes && i < LINE_TYPES; i++)
		fprintf(out, "%s%s x %s", i ? ", " : "", line->types[i].name,
			format_count(line->types[i].count).s);
	fputs(i < line->ntypes ? ", ...\n" : "\n", out);
}

static void put_lines(const struct profile *profile, const struct profile_process *process,
		      const struct render_options *options, FILE *out)
{
	const struct schema *schema = &profile->schema;
	const struct profile_line *line;
	size_t i, k, shown, n = count_holders(profile, process);
	size_t top = top_of(profile, process, options);

	if (!top) {
		fputs("\n  No line has taken memory since the attach.\n", out);
		return;
	}
	fprintf(out, "\n%12s", "Increment");
	for (k = 0; k < schema->n; k++) {
		if (schema->types[k].title)
			fprintf(out, "  %12s", schema->types[k].title);
	}
	fputs("  Line (function)\n", out);
	for (i = 0, shown = 0; shown < top; i++) {
		line = &process->lines[i];
		if (values__are_arenas(schema, &line->values))
			continue;
		shown++;
		fprintf(out, "%12s", format_change(values__held(schema, &line->change)).s);
		for (k = 0; k < schema->n; k++) {
			if (schema->types[k].title)
				fprintf(out, "  %12s",
					value__format(&schema->types[k], line->values.of[k]).s);
		}
		fputs("  ", out);
		put_location(line->location, out);
		putc('\n', out);
		put_types(line, out);
	}
	if (top < n)
		fprintf(out, "%12s  and %s more lines; --top %zu shows them\n", "...",
			format_count(n - top).s, n);
}

/* Lines to show of those that needed arenas. */
#define ARENA_LINES 5

static int compare_arenas(const void *a, const void *b, void *schema)
{
	const struct profile_line *const *x = a, *const *y = b;
	int64_t of_x = values__get(schema, &(*x)->values, ROLE_ARENA_BYTES);
	int64_t of_y = values__get(schema, &(*y)->values, ROLE_ARENA_BYTES);

	return of_x < of_y ? 1 : of_x > of_y ? -1 : 0;
}

/* Prints which lines happened to need arenas: only a hint. Returns 0 or -ENOMEM. */
static int put_arenas(const struct profile *profile, const struct profile_process *process,
		      FILE *out)
{
	auto_free const struct profile_line **lines = calloc(process->nlines + 1, sizeof(*lines));
	struct schema schema = profile->schema;
	size_t i, n = 0;

	if (!lines)
		return -ENOMEM;
	for (i = 0; i < process->nlines; i++) {
		if (values__get(&schema, &process->lines[i].values, ROLE_ARENA_BYTES) > 0)
			lines[n++] = &process->lines[i];
	}
	if (!n)
		return 0;
	qsort_r(lines, n, sizeof(const struct profile_line *), compare_arenas, &schema);
	fprintf(out, "\n%12s  %s\n", "In arenas",
		"Line that first needed arenas, which objects of many lines share: a hint, no holder");
	for (i = 0; i < n && i < ARENA_LINES; i++) {
		fprintf(out, "%12s  ",
			format_bytes(values__get(&schema, &lines[i]->values, ROLE_ARENA_BYTES)).s);
		put_location(lines[i]->location, out);
		putc('\n', out);
	}
	return 0;
}

/* Prints which of the program's own lines led into libraries that hold memory: often it is that
 * line, not the library's, that can be changed. Returns 0 or -ENOMEM. */
static int put_own_lines(const struct profile *profile, const struct profile_process *process,
			 const struct render_options *options, FILE *out)
{
	const struct group *group;
	struct groups groups;
	bool through = false;
	int64_t held, change;
	size_t i, shown = 0;
	int err = profile__group(profile, process, GROUP_OWN_LINE, BY_CHANGE, options->own_code,
				 &groups);

	if (err)
		return err;
	for (i = 0; i < groups.n; i++)
		through |= groups.groups[i].through;
	if (through)
		fprintf(out, "\n%12s  %12s  %s\n", "Increment", profile->schema.types[0].title,
			"The program's own line, with the libraries that it calls");
	for (i = 0; through && i < groups.n && shown < options->top; i++) {
		group = &groups.groups[i];
		held = values__held(&profile->schema, &group->values);
		change = values__held(&profile->schema, &group->change);
		if (!held && !change)
			continue;
		fprintf(out, "%12s  %12s  ", format_change(change).s, format_bytes(held).s);
		put_location(&group->location, out);
		putc('\n', out);
		shown++;
	}
	groups__free(&groups);
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* Collects the file's lines among the process's top ones that hold something or did, by number,
 * each once. Returns how many. */
static size_t collect_rows(const struct profile *profile, const struct profile_process *process,
			   size_t top, const char *file, struct row *rows)
{
	const struct profile_line *line;
	size_t i, n = 0, to = 0;

	for (i = 0; i < top; i++) {
		line = &process->lines[i];
		if (line->location->file != file || line->location->line <= 0 ||
		    (!values__held(&profile->schema, &line->values) &&
		     !values__held(&profile->schema, &line->change)))
			continue;
		rows[n].line = line->location->line;
		rows[n].values = line->values;
		rows[n++].change = line->change;
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	for (i = 1; i < n; i++) {
		if (rows[i].line != rows[to].line) {
			rows[++to] = rows[i];
			continue;
		}
		values__add(&profile->schema, &rows[to].values, &rows[i].values);
		values__add(&profile->schema, &rows[to].change, &rows[i].change);
	}
	return n ? to + 1 : 0;
}

static void put_row(const struct schema *schema, int line, const struct row *row, const char *text,
		    FILE *out)
{
	size_t activity = schema__activity(schema);

	if (row)
		fprintf(out, "%6d  %12s  %12s  %12s   %s\n", line,
			format_bytes(values__held(schema, &row->values)).s,
			format_change(values__held(schema, &row->change)).s,
			value__format(&schema->types[activity], row->values.of[activity]).s, text);
	else if (text[0])
		fprintf(out, "%6d  %12s  %12s  %12s   %s\n", line, "", "", "", text);
	else
		fprintf(out, "%6d\n", line);
}

static void put_rows(const struct schema *schema, const struct profile_file *file,
		     const struct row *rows, size_t n, FILE *out)
{
	int line, from, last = 0, lines = file->text->nlines;
	size_t i = 0;

	while (i < n && rows[i].line <= lines) {
		from = rows[i].line - CONTEXT;
		if (from <= last)
			from = last + 1;
		else if (last)
			fputs("   ...\n", out);
		for (line = from; line <= lines; line++) {
			bool hit = i < n && rows[i].line == line;

			if (!hit && (!i || line > rows[i - 1].line + CONTEXT) &&
			    (i == n || line < rows[i].line - CONTEXT))
				break;
			put_row(schema, line, hit ? &rows[i] : NULL, file->text->lines[line - 1],
				out);
			last = line;
			i += hit;
		}
	}
}

static int put_file(const struct profile *profile, const struct profile_process *process,
		    size_t top, const struct profile_file *file, FILE *out)
{
	const struct schema *schema = &profile->schema;
	struct row *rows = calloc(top + 1, sizeof(*rows));
	size_t n;

	if (!rows)
		return -ENOMEM;
	n = collect_rows(profile, process, top, file->file, rows);
	if (n) {
		fprintf(out, "\nFilename: %s\n\n", file->file);
		if (file->misfit)
			fprintf(out,
				"The file is another one by now: line %d is not in %s any more.\n",
				file->misfit->line, file->misfit->function);
		else if (file->is_newer)
			fputs("The file was changed after the process began: it need not be the text "
			      "that runs.\n\n",
			      out);
	}
	if (n && !file->misfit) {
		fprintf(out, "%6s  %12s  %12s  %12s   %s\n", "Line #", schema->types[0].title,
			"Increment", schema->types[schema__activity(schema)].title,
			"Line Contents");
		fputs("====================================================================\n",
		      out);
		put_rows(schema, file, rows, n, out);
	}
	free(rows);
	return 0;
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	const struct profile_process *process;
	size_t p, i;
	int err;

	for (p = 0; p < profile->nprocesses; p++) {
		process = &profile->processes[p];
		put_header(profile, process, out);
		put_lines(profile, process, options, out);
		err = put_own_lines(profile, process, options, out);
		if (!err)
			err = put_arenas(profile, process, out);
		report_mapped__put(process, out);
		report_alive__put(&process->alive, options->top, out);
		for (i = 0; !err && i < process->nfiles; i++)
			err = put_file(profile, process, top_of(profile, process, options),
				       &process->files[i], out);
		if (err)
			return err;
		putc('\n', out);
	}
	return 0;
}

const struct renderer report_renderer = {
	.name = "report",
	.help = "lines by increment, and the text around them",
	.wants_sources = true,
	.shows_lost = true,
	.repeats = true,
	.render = render,
};
