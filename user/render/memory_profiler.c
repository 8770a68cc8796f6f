// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/renderer.h"

/* memory_profiler 0.61, show_results(): template and precision of python -m memory_profiler. */
#define HEAD	   "%6s %12s %12s  %10s   %s\n"
#define RULE	   "============================================================="
#define MIB(bytes) ((double)(int64_t)(bytes) / (1 << 20))

static int compare_lines(const void *a, const void *b)
{
	const struct profile_line *x = *(const struct profile_line *const *)a;
	const struct profile_line *y = *(const struct profile_line *const *)b;

	return profile_line__compare(x, y);
}

/* Indexes of mode lines' values that the table shows (modes/lines.c). */
enum {
	ADDED,
	MEMORY,
	BASE,
	OCCURRENCES,
};

/* memory_profiler adds to the first line what changed while the function was not running. */
static int64_t increment_of(const struct profile_line *line)
{
	return line->values.of[ADDED] + line->values.of[BASE];
}

/* Where nothing counts them, there are no occurrences. */
static void put_line(const struct schema *schema, int number, const struct profile_line *line,
		     const char *text, FILE *out)
{
	char occurrences[24] = "";

	if (line && schema->n > OCCURRENCES)
		snprintf(occurrences, sizeof(occurrences), "%" PRId64,
			 line->values.of[OCCURRENCES]);
	if (line)
		fprintf(out, "%6d %8.3f MiB %8.3f MiB  %10s   %s\n", number,
			MIB(line->values.of[MEMORY]), MIB(increment_of(line)), occurrences, text);
	else
		fprintf(out, "%6d %12s %12s  %10s   %s\n", number, "", "", "", text);
}

/* Prints lines first to last; lines has the n of them that ran. skipped: functions in between that
 * have tables of their own. */
static void put_lines(const struct schema *schema, const struct profile_line **lines, size_t n,
		      const struct profile_file *file, int first, int last,
		      const struct def_ranges *skipped, FILE *out)
{
	const struct profile_line *line;
	const struct def_range *function;
	int number;

	for (number = first; number <= last; number++) {
		line = n && (*lines)->location->line == number ? *lines : NULL;
		if (line) {
			lines++;
			n--;
		}
		function = skipped ? def_ranges__find(skipped, number) : NULL;
		if (!line && function && number != function->first)
			continue;
		put_line(schema, number, line,
			 (size_t)number <= file->text->nlines ? file->text->lines[number - 1] : "",
			 out);
	}
}

static void put_head(const char *file, FILE *out)
{
	fprintf(out, "Filename: %s\n\n" HEAD "%s\n", file, "Line #", "Mem usage", "Increment",
		"Occurrences", "Line Contents", RULE);
}

/* Prints the table of a function, or of a module, from n lines. */
static void put_table(const struct schema *schema, const struct profile_process *process,
		      const struct profile_line **lines, size_t n, FILE *out)
{
	const struct def_range *function = lines[0]->function;
	const struct profile_file *file = profile_process__file(process, lines[0]->location->file);

	put_head(lines[0]->location->file, out);
	if (function)
		put_lines(schema, lines, n, file, function->first, function->last, NULL, out);
	else if (file && (size_t)lines[n - 1]->location->line <= file->text->nlines)
		put_lines(schema, lines, n, file, 1, file->text->nlines, file->functions, out);
	else /* No text, or not the text that runs. */
		for (; n--; lines++)
			put_line(schema, lines[0]->location->line, lines[0], "", out);
	fputs("\n\n", out);
}

static bool is_same_table(const struct profile_line *a, const struct profile_line *b)
{
	return a->location->file == b->location->file && a->function == b->function;
}

static int put_process(const struct schema *schema, const struct profile_process *process,
		       FILE *out)
{
	const struct profile_line **lines = calloc(process->nlines + 1, sizeof(*lines));
	size_t i, n;

	if (!lines)
		return -ENOMEM;
	for (i = 0; i < process->nlines; i++)
		lines[i] = &process->lines[i];
	qsort(lines, process->nlines, sizeof(*lines), compare_lines);
	for (i = 0; i < process->nlines; i += n) {
		for (n = 1; i + n < process->nlines && is_same_table(lines[i], lines[i + n]); n++)
			;
		put_table(schema, process, &lines[i], n, out);
	}
	free(lines);
	return 0;
}

/* What no line above shows. */
static void put_rest(const struct profile_process *process, FILE *out)
{
	fprintf(out,
		"Process %d: %.3f MiB were added while it was recorded, of them %.3f MiB by none of "
		"these lines: by other files (--file), by threads without Python, or below more frames "
		"than --max-frames\n\n",
		process->pid, MIB(process->total.of[ADDED]), MIB(process->elsewhere_bytes));
}

static int render(const struct profile *profile, const struct render_options *options, FILE *out)
{
	const struct profile_process *process;
	char *cmdline;
	size_t p;
	int err;

	(void)options;
	for (p = 0; p < profile->nprocesses; p++) {
		process = &profile->processes[p];
		if (profile->nprocesses > 1) {
			cmdline = utf8_from_str((const uint8_t *)process->cmdline,
						strlen(process->cmdline), 0);
			fprintf(out, "Process %d: %s\n\n", process->pid, cmdline ?: process->comm);
			free(cmdline);
		}
		if (!process->nlines)
			fprintf(out,
				"Process %d has run none of the lines to report; --function and "
				"--file choose others\n\n",
				process->pid);
		err = put_process(&profile->schema, process, out);
		if (err)
			return err;
		if (profile->sums_callers)
			put_rest(process, out);
	}
	return 0;
}

const struct renderer memory_profiler_renderer = {
	.name = "memory_profiler",
	.help = "its table of lines and increments; mode lines only, whose default it is",
	.by_line = true,
	.wants_sources = true,
	.repeats = true,
	.render = render,
};
