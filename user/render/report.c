// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/utf8.h"
#include "profile/filter.h"
#include "render/renderer.h"

/* Lines of source shown before and after one that has memory. */
#define CONTEXT 2

/* What one line of a source file comes to, over all its functions. */
struct row {
	int line;
	struct values values;
	int64_t increment_bytes;
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
	if (process->state == PROCESS_EXITED)
		fputs("  State        has exited; what is outstanding is as it was then\n", out);
	else if (process->state == PROCESS_EXECED)
		fputs("  State        has executed another program, and is recorded no more\n",
		      out);
}

static void put_outstanding(const struct profile_process *process, FILE *out)
{
	fprintf(out, "  Outstanding  %s in %s blocks (%s), and %s in %s direct mappings\n",
		format_bytes(process->total.outstanding_bytes).s,
		format_count(process->total.outstanding_count).s,
		format_change(process->increment_bytes).s,
		format_bytes(process->total.mapped_bytes).s,
		format_count(process->total.mapped_count).s);
}

static void put_resident(const struct profile_process *process, FILE *out)
{
	fprintf(out,
		"  RssAnon      %s = %s before the attach + %s of the lines (%s) + %s "
		"unattributed\n",
		format_bytes(process->rss_anon_bytes).s,
		format_bytes(process->before_attach_bytes).s,
		format_bytes(process->total.outstanding_bytes).s,
		format_change(process->increment_bytes).s,
		format_signed(process->unattributed_bytes).s);
}

static void put_header(const struct profile *profile, const struct profile_process *process,
		       FILE *out)
{
	char *cmdline =
		utf8_from_str((const uint8_t *)process->cmdline, strlen(process->cmdline), 0);

	fprintf(out, "Process %d", process->pid);
	if (process->parent)
		fprintf(out, " (child of %d)", process->parent);
	fprintf(out, ": %s\n", cmdline && cmdline[0] ? cmdline : process->comm);
	fprintf(out, "  Python       CPython %s, mode %s, attribution %s\n", process->python,
		profile->mode, process->attribution);
	fprintf(out, "  Duration     %.1f s since the attach, increments over the last %.1f s\n",
		profile->duration_seconds, profile->interval_seconds);
	fprintf(out, "  RSS          %s at the attach, %s now\n",
		format_bytes(process->rss_at_attach_bytes).s,
		process->rss_bytes ? format_bytes(process->rss_bytes).s : "gone");
	if (profile->counts_resident)
		put_resident(process, out);
	else
		put_outstanding(process, out);
	fprintf(out, "  Maps         %s of kernel memory, to record all processes\n",
		format_bytes(profile->map_bytes).s);
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

static size_t top_of(const struct profile_process *process, const struct render_options *options)
{
	return process->nlines < options->top ? process->nlines : options->top;
}

static void put_lines(const struct profile *profile, const struct profile_process *process,
		      const struct render_options *options, FILE *out)
{
	const struct profile_line *line;
	const struct value_type *type;
	size_t i, top = top_of(process, options);

	if (!process->nlines) {
		fputs("\n  No line has taken memory since the attach.\n", out);
		return;
	}
	fprintf(out, "\n%12s", "Increment");
	for (type = profile->schema; type->member; type++) {
		if (type->title)
			fprintf(out, "  %12s", type->title);
	}
	fputs("  Line (function)\n", out);
	for (i = 0; i < top; i++) {
		line = &process->lines[i];
		fprintf(out, "%12s", format_change(line->increment_bytes).s);
		for (type = profile->schema; type->member; type++) {
			if (type->title)
				fprintf(out, "  %12s", value_type__format(type, &line->values).s);
		}
		fputs("  ", out);
		put_location(line->location, out);
		putc('\n', out);
	}
	if (top < process->nlines)
		fprintf(out, "%12s  and %s more lines; --top %zu shows them\n", "...",
			format_count(process->nlines - top).s, process->nlines);
}

/* What a line holds with all that it calls. */
struct own_line {
	const struct location *location;
	uint64_t outstanding_bytes;
	int64_t increment_bytes;
};

static int compare_own_lines(const void *a, const void *b)
{
	const struct own_line *x = a, *y = b;

	if (x->increment_bytes != y->increment_bytes)
		return x->increment_bytes < y->increment_bytes ? 1 : -1;
	return x->outstanding_bytes < y->outstanding_bytes   ? 1
	       : x->outstanding_bytes > y->outstanding_bytes ? -1
							     : 0;
}

static int compare_own_places(const void *a, const void *b)
{
	const struct own_line *x = a, *y = b;

	return x->location < y->location ? -1 : x->location > y->location;
}

/* Sums the stacks up by their innermost line that is not a library's. Returns how
 * many there are; *through is whether any of them is not itself the leaf. */
static size_t collect_own_lines(const struct profile_process *process, struct own_line *own,
				bool *through)
{
	const struct profile_stack *stack;
	size_t i, k, n = 0, to = 0;

	*through = false;
	for (i = 0; i < process->nstacks; i++) {
		stack = &process->stacks[i];
		if (!stack->values.outstanding_bytes && !stack->increment_bytes)
			continue;
		for (k = 0; k < stack->nframes && file__is_library(stack->frames[k]->file); k++)
			;
		if (k == stack->nframes)
			continue;
		*through |= k > 0;
		own[n].location = stack->frames[k];
		own[n].outstanding_bytes = stack->values.outstanding_bytes;
		own[n++].increment_bytes = stack->increment_bytes;
	}
	qsort(own, n, sizeof(*own), compare_own_places);
	for (i = 1; i < n; i++) {
		if (own[i].location != own[to].location) {
			own[++to] = own[i];
			continue;
		}
		own[to].outstanding_bytes += own[i].outstanding_bytes;
		own[to].increment_bytes += own[i].increment_bytes;
	}
	n = n ? to + 1 : 0;
	qsort(own, n, sizeof(*own), compare_own_lines);
	return n;
}

/* Which of the program's own lines led into libraries that hold memory: often that,
 * not the library's line, is what can be changed. */
static int put_own_lines(const struct profile *profile, const struct profile_process *process,
			 const struct render_options *options, FILE *out)
{
	struct own_line *own = calloc(process->nstacks + 1, sizeof(*own));
	bool through;
	size_t i, n;

	if (!own)
		return -ENOMEM;
	n = collect_own_lines(process, own, &through);
	if (n && through)
		fprintf(out, "\n%12s  %12s  %s\n", "Increment", profile->schema->title,
			"The program's own line, with the libraries that it calls");
	for (i = 0; through && i < n && i < options->top; i++) {
		fprintf(out, "%12s  %12s  ", format_change(own[i].increment_bytes).s,
			format_bytes(own[i].outstanding_bytes).s);
		put_location(own[i].location, out);
		putc('\n', out);
	}
	free(own);
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* The file's lines among the process's top ones that hold something or did, by
 * number, each once. */
static size_t collect_rows(const struct profile_process *process, size_t top, const char *file,
			   struct row *rows)
{
	const struct profile_line *line;
	size_t i, n = 0, to = 0;

	for (i = 0; i < top; i++) {
		line = &process->lines[i];
		if (line->location->file != file || line->location->line <= 0 ||
		    (!line->values.outstanding_bytes && !line->increment_bytes))
			continue;
		rows[n].line = line->location->line;
		rows[n].values = line->values;
		rows[n++].increment_bytes = line->increment_bytes;
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	for (i = 1; i < n; i++) {
		if (rows[i].line != rows[to].line) {
			rows[++to] = rows[i];
			continue;
		}
		rows[to].values.outstanding_bytes += rows[i].values.outstanding_bytes;
		rows[to].values.allocated_bytes += rows[i].values.allocated_bytes;
		rows[to].values.allocated_count += rows[i].values.allocated_count;
		rows[to].increment_bytes += rows[i].increment_bytes;
	}
	return n ? to + 1 : 0;
}

static void put_row(const struct value_type *schema, int line, const struct row *row,
		    const char *text, FILE *out)
{
	if (row)
		fprintf(out, "%6d  %12s  %12s  %12s   %s\n", line,
			format_bytes(row->values.outstanding_bytes).s,
			format_change(row->increment_bytes).s,
			value_type__format(schema__activity(schema), &row->values).s, text);
	else if (text[0])
		fprintf(out, "%6d  %12s  %12s  %12s   %s\n", line, "", "", "", text);
	else
		fprintf(out, "%6d\n", line);
}

static void put_rows(const struct value_type *schema, const struct profile_file *file,
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
	const struct value_type *schema = profile->schema;
	struct row *rows = calloc(top, sizeof(*rows));
	size_t n;

	if (!rows)
		return -ENOMEM;
	n = collect_rows(process, top, file->file, rows);
	if (n) {
		fprintf(out, "\nFilename: %s\n\n", file->file);
		fprintf(out, "%6s  %12s  %12s  %12s   %s\n", "Line #", schema->title, "Increment",
			schema__activity(schema)->title, "Line Contents");
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
		for (i = 0; !err && i < process->nfiles; i++)
			err = put_file(profile, process, top_of(process, options),
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
