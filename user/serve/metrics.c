// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/program_name.h"
#include "serve/metrics.h"
#include "version.h"

/* What makes a line stay: see metrics__write(). */
#define STAYS 1.25

/* What a program's processes have together, in one mode. */
struct program {
	char *name;
	const char *container; /* "": none */
	size_t mode;	       /* index of its profile */
	uint64_t processes, ended, rss, allocated, lost[LOST_CAUSES];
	size_t first, n; /* its lines */
};

/* One line of a program in one mode; or its "[before attach]" and so on, which have no line. */
struct line {
	size_t program;
	const struct location *location;
	int64_t bytes;
	bool is_rest;
	double weight;
};

/* A line that was there the last time, by a hash of all its labels. */
struct metrics {
	size_t top;
	uint64_t *exported; /* sorted */
	size_t nexported;
};

struct table {
	const struct metrics_input *input;
	struct program *programs;
	size_t nprograms;
	struct line *lines;
	size_t nlines, room;
};

struct metrics *metrics__new(size_t top)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics)
		metrics->top = top;
	return metrics;
}

void metrics__free(struct metrics *metrics)
{
	if (!metrics)
		return;
	free(metrics->exported);
	free(metrics);
}

static void free_table(struct table *table)
{
	size_t i;

	for (i = 0; i < table->nprograms; i++)
		free(table->programs[i].name);
	free(table->programs);
	free(table->lines);
}

/*
 * From processes to programs.
 */

static int find_program(struct table *table, const struct profile_process *process, size_t mode,
			size_t *result)
{
	auto_free char *name = program_name(process);
	const char *container = process->container ? process->container : "";
	struct program *more;
	size_t i;

	if (!name)
		return -ENOMEM;
	for (i = 0; i < table->nprograms; i++) {
		if (table->programs[i].mode == mode && !strcmp(table->programs[i].name, name) &&
		    !strcmp(table->programs[i].container, container)) {
			*result = i;
			return 0;
		}
	}
	more = reallocarray(table->programs, i + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	table->programs = more;
	more[i] = (struct program){.name = take(name), .container = container, .mode = mode};
	table->nprograms++;
	*result = i;
	return 0;
}

static int add_line(struct table *table, const struct line *line)
{
	struct line *more;

	if (!line->bytes)
		return 0;
	if (table->nlines == table->room) {
		more = reallocarray(table->lines, 2 * table->room + 256, sizeof(*more));
		if (!more)
			return -ENOMEM;
		table->lines = more;
		table->room = 2 * table->room + 256;
	}
	table->lines[table->nlines++] = *line;
	return 0;
}

static int add_process(struct table *table, const struct profile_process *process, size_t mode)
{
	const struct profile *profile = table->input->profiles[mode];
	struct profile_rest rests[PROFILE_RESTS];
	struct program *program;
	struct line line = {0};
	size_t i;
	int err = find_program(table, process, mode, &line.program);

	if (err)
		return err;
	program = &table->programs[line.program];
	program->processes += process->state == PROCESS_RUNNING;
	program->ended += process->ended;
	program->rss += process->rss_bytes;
	program->allocated += values__get(&profile->schema, &process->total, ROLE_ALLOC_BYTES);
	for (i = 0; i < LOST_CAUSES; i++)
		program->lost[i] += process->lost[i];
	for (i = 0; !err && i < process->nlines; i++) {
		line.location = process->lines[i].location;
		line.bytes = values__held(&profile->schema, &process->lines[i].values);
		err = add_line(table, &line);
	}
	line.is_rest = true;
	if (profile->counts_resident)
		profile_process__rests(profile, process, rests);
	for (i = 0; !err && profile->counts_resident && i < PROFILE_RESTS; i++) {
		line.location = rests[i].location;
		line.bytes = rests[i].bytes;
		err = add_line(table, &line);
	}
	return err;
}

static int compare_locations(const struct location *x, const struct location *y)
{
	int order = x == y ? 0 : strcmp(x->file, y->file);

	if (!order)
		order = x->line - y->line;
	return order ? order : x == y ? 0 : strcmp(x->function, y->function);
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->program != y->program)
		return x->program < y->program ? -1 : 1;
	return compare_locations(x->location, y->location);
}

/* Adds up the same line of several processes. */
static void add_up(struct table *table)
{
	size_t i, n = 0;

	if (!table->nlines)
		return;
	qsort(table->lines, table->nlines, sizeof(*table->lines), compare_lines);
	for (i = 0; i < table->nlines; i++) {
		if (n && !compare_lines(&table->lines[n - 1], &table->lines[i]))
			table->lines[n - 1].bytes += table->lines[i].bytes;
		else
			table->lines[n++] = table->lines[i];
	}
	table->nlines = n;
}

/*
 * Which lines are there on their own.
 */

static uint64_t hash_of(const struct table *table, const struct line *line)
{
	const struct program *program = &table->programs[line->program];
	const char *const texts[] = {program->name, program->container, line->location->file,
				     line->location->function};
	uint64_t hash = 14695981039346656037ULL + line->location->line + (program->mode << 32);
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (at = texts[i]; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 1099511628211ULL;
		hash = (hash ^ 0xff) * 1099511628211ULL;
	}
	return hash;
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* By program; of each, the rests first, then what weighs most. */
static int compare_weights(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->program != y->program)
		return x->program < y->program ? -1 : 1;
	if (x->is_rest != y->is_rest)
		return x->is_rest ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return compare_locations(x->location, y->location);
}

/* Sorts each program's lines, so that the first ones are those to write, and remembers these. */
static int choose(struct metrics *metrics, struct table *table)
{
	uint64_t hash, *exported = calloc(table->nlines + 1, sizeof(*exported));
	struct program *program;
	struct line *line;
	size_t i, n = 0, shown = 0;

	if (!exported)
		return -ENOMEM;
	for (line = table->lines; line < table->lines + table->nlines; line++) {
		hash = hash_of(table, line);
		line->weight = (double)line->bytes;
		if (line->bytes > 0 && bsearch(&hash, metrics->exported, metrics->nexported,
					       sizeof(hash), compare_hashes))
			line->weight *= STAYS;
	}
	if (table->nlines)
		qsort(table->lines, table->nlines, sizeof(*table->lines), compare_weights);
	for (i = 0; i < table->nlines; i++) {
		line = &table->lines[i];
		program = &table->programs[line->program];
		if (!program->n++) {
			program->first = i;
			shown = 0;
		}
		if (!line->is_rest && shown++ < metrics->top)
			exported[n++] = hash_of(table, line);
	}
	qsort(exported, n, sizeof(*exported), compare_hashes);
	free(metrics->exported);
	metrics->exported = exported;
	metrics->nexported = n;
	return 0;
}

/*
 * Writing.
 */

struct family {
	const char *name, *help, *unit; /* unit: NULL: none */
	bool is_counter;
};

static void put_family(const struct table *table, const struct family *family, FILE *out)
{
	bool openmetrics = table->input->openmetrics;
	const char *total = family->is_counter && !openmetrics ? "_total" : "";

	fprintf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", family->name, total, family->help,
		family->name, total, family->is_counter ? "counter" : "gauge");
	if (openmetrics && family->unit)
		fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
}

static void put_label(const char *name, const char *value, FILE *out)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void begin_sample(const struct table *table, const struct family *family,
			 const struct program *program, bool with_mode, FILE *out)
{
	fprintf(out, "%s%s{", family->name, family->is_counter ? "_total" : "");
	put_label("program", program->name, out);
	fputc(',', out);
	put_label("container", program->container, out);
	if (with_mode) {
		fputc(',', out);
		put_label("mode", table->input->profiles[program->mode]->mode, out);
	}
}

static void put_line(const struct table *table, const struct family *family,
		     const struct program *program, const struct location *location, int64_t bytes,
		     FILE *out)
{
	char number[16] = "";

	if (location->line)
		snprintf(number, sizeof(number), "%d", location->line);
	begin_sample(table, family, program, true, out);
	fputc(',', out);
	put_label("file", location->file, out);
	fputc(',', out);
	put_label("line", number, out);
	fputc(',', out);
	put_label("function", location->function, out);
	fprintf(out, "} %" PRId64 "\n", bytes);
}

static void put_lines_of(const struct metrics *metrics, const struct table *table,
			 const struct family *family, const struct program *program, FILE *out)
{
	static const struct location other = {"other", "", 0};
	const struct line *line = table->lines + program->first;
	const struct line *end = line + program->n;
	int64_t others = 0;
	size_t shown = 0;

	for (; line < end; line++) {
		if (line->is_rest || shown++ < metrics->top)
			put_line(table, family, program, line->location, line->bytes, out);
		else
			others += line->bytes;
	}
	put_line(table, family, program, &other, others, out);
}

static void put_lines(const struct metrics *metrics, const struct table *table, FILE *out)
{
	static const struct family families[] = {
		{"pymemtop_outstanding_bytes",
		 "Allocated since the attach and not freed, by line; the largest lines, and all "
		 "others as one.",
		 "bytes", false},
		{"pymemtop_resident_bytes",
		 "Resident, anonymous and shared, by the line that touched it first; the largest "
		 "lines, and all others as one.",
		 "bytes", false},
	};
	const struct profile *profile;
	bool begun;
	size_t i, resident;

	for (resident = 0; resident < 2; resident++) {
		begun = false;
		for (i = 0; i < table->nprograms; i++) {
			profile = table->input->profiles[table->programs[i].mode];
			if (profile->counts_resident != (bool)resident)
				continue;
			if (!begun)
				put_family(table, &families[resident], out);
			begun = true;
			put_lines_of(metrics, table, &families[resident], &table->programs[i], out);
		}
	}
}

/* Numbers of programs, each of them in each mode or only once. */
static void put_programs(const struct table *table, FILE *out)
{
	static const struct {
		struct family family;
		size_t offset;
		bool by_mode;
	} numbers[] = {
		{{"pymemtop_processes", "Processes that run.", NULL, false},
		 offsetof(struct program, processes),
		 false},
		{{"pymemtop_rss_bytes", "Resident set size of all processes together.", "bytes",
		  false},
		 offsetof(struct program, rss),
		 false},
		{{"pymemtop_allocated_bytes",
		  "Allocated, or become resident, since the attach, whatever was freed since.",
		  "bytes", true},
		 offsetof(struct program, allocated),
		 true},
	};
	const struct program *program;
	size_t i, k;

	for (k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
		put_family(table, &numbers[k].family, out);
		for (i = 0; i < table->nprograms; i++) {
			program = &table->programs[i];
			if (program->mode && !numbers[k].by_mode)
				continue;
			begin_sample(table, &numbers[k].family, program, numbers[k].by_mode, out);
			fprintf(out, "} %" PRIu64 "\n",
				*(const uint64_t *)((const char *)program + numbers[k].offset));
		}
	}
}

static void put_lost(const struct table *table, FILE *out)
{
	static const struct family family = {"pymemtop_lost",
					     "Events that could not be recorded, by cause.", NULL,
					     true};
	const struct program *program;
	size_t i, cause;

	put_family(table, &family, out);
	for (i = 0; i < table->nprograms; i++) {
		program = &table->programs[i];
		for (cause = 0; cause < LOST_CAUSES; cause++) {
			if (!program->lost[cause])
				continue;
			begin_sample(table, &family, program, true, out);
			fputc(',', out);
			put_label("cause", lost__name(cause), out);
			fprintf(out, "} %" PRIu64 "\n", program->lost[cause]);
		}
	}
}

static void put_own(const struct table *table, FILE *out)
{
	const struct metrics_input *input = table->input;
	const struct {
		struct family family;
		double value;
	} numbers[] = {
		{{"pymemtop_overhead_ratio",
		  "What recording costs, of the recorded processes' CPU time.", "ratio", false},
		 input->n ? input->profiles[0]->cost.cpu_share_now : 0},
		{{"pymemtop_map_bytes", "Kernel memory of the BPF maps.", "bytes", false},
		 input->n ? (double)input->profiles[0]->map_bytes : 0},
		{{"pymemtop_own_cpu_seconds", "CPU time that pymemtop itself has used.", "seconds",
		  true},
		 input->cpu_seconds},
		{{"pymemtop_own_resident_bytes", "What pymemtop itself has resident.", "bytes",
		  false},
		 (double)input->rss_bytes},
		{{"pymemtop_profile_seconds", "What making these profiles took.", "seconds", false},
		 input->scrape_seconds},
	};
	static const struct family build = {"pymemtop_build", "1, and the version.", NULL, false};
	size_t i;

	/* The first one is not always known. */
	for (i = input->n && input->profiles[0]->cost.known ? 0 : 1;
	     i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		put_family(table, &numbers[i].family, out);
		fprintf(out, "%s%s %.9g\n", numbers[i].family.name,
			numbers[i].family.is_counter ? "_total" : "", numbers[i].value);
	}
	put_family(table, &build, out);
	fprintf(out, "%s{version=\"" PYMEMTOP_VERSION "\"} 1\n", build.name);
}

int metrics__write(struct metrics *metrics, const struct metrics_input *input, FILE *out)
{
	struct table table = {.input = input};
	size_t i, k;
	int err = 0;

	for (k = 0; k < input->n; k++) {
		for (i = 0; !err && i < input->profiles[k]->nprocesses; i++)
			err = add_process(&table, &input->profiles[k]->processes[i], k);
	}
	if (!err) {
		add_up(&table);
		err = choose(metrics, &table);
	}
	if (!err) {
		put_lines(metrics, &table, out);
		put_programs(&table, out);
		put_lost(&table, out);
		put_own(&table, out);
		if (input->openmetrics)
			fputs("# EOF\n", out);
	}
	free_table(&table);
	return err;
}
