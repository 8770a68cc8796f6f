// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "serve/fleet.h"

/* Values of each line and host to look at. */
#define STEPS 36

/* Of the lines that have grown most, these many times as many as are shown are looked at. */
#define CANDIDATES 2

/* Part of the time over which growth is looked for, too: since then, none may have begun again. */
#define RECENT 4

/* The time that an amount is the average of, where two times are compared. */
#define AVERAGE "10m"

#define BY "program,file,line,function,mode"

/* What tells lines apart: all labels but the instance. */
static int compare_labels(const char *const *x, const char *const *y)
{
	size_t i;
	int order = 0;

	for (i = 0; !order && i < LABEL_INSTANCE; i++)
		order = strcmp(x[i], y[i]);
	return order;
}

static int compare_series(const void *a, const void *b)
{
	const struct engine_series *x = a, *y = b;
	int order = compare_labels(x->labels, y->labels);

	return order ? order : strcmp(x->labels[LABEL_INSTANCE], y->labels[LABEL_INSTANCE]);
}

static void sort(struct engine_answer *answer)
{
	qsort(answer->series, answer->n, sizeof(*answer->series), compare_series);
}

/* Writes a text within quotes of PromQL; as a regular expression that matches just it. */
static void put_exactly(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (strchr("\\.+*?()|[]{}^$", *text))
			fputs("\\\\", out);
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

static void put_quoted(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* What is asked for: sums that a recording rule keeps (scripts/deploy/pymemtop.rules.yml), or each
 * host's own series, five hundred times as many. */
static const char *const recorded[] = {"program_line:pymemtop_held_bytes:sum", NULL};
static const char *const raw[] = {"pymemtop_outstanding_bytes", "pymemtop_resident_bytes", NULL};

/* The labels that lines' series have: without the sums of others, and what is no line's. */
static void put_matchers(const struct fleet_options *options, const struct engine_answer *lines,
			 FILE *out)
{
	static const struct {
		enum engine_label label;
		const char *name;
	} chosen[] = {{LABEL_PROGRAM, "program"}, {LABEL_FILE, "file"}, {LABEL_LINE, "line"}};
	size_t i, k;

	fputs("{line!=\"\"", out);
	if (options->program) {
		fputs(",program=~\"", out);
		put_quoted(options->program, out);
		fputc('"', out);
	}
	for (k = 0; lines && k < sizeof(chosen) / sizeof(chosen[0]); k++) {
		fprintf(out, ",%s=~\"", chosen[k].name);
		for (i = 0; i < lines->n; i++) {
			if (i)
				fputc('|', out);
			put_exactly(lines->series[i].labels[chosen[k].label], out);
		}
		fputc('"', out);
	}
	fputc('}', out);
}

/* How to add up series: around the selector. */
struct sum {
	const char *begins, *ends;
	double offset; /* seconds ago */
};

/* The sums of all names, which differ in the mode. */
static void put_sums(const struct fleet_options *options, const char *const *names,
		     const struct engine_answer *lines, const struct sum *sum, FILE *out)
{
	size_t i;

	fputc('(', out);
	for (i = 0; names[i]; i++) {
		fprintf(out, "%s%s%s", i ? " or " : "", sum->begins, names[i]);
		put_matchers(options, lines, out);
		if (sum->offset > 0)
			fprintf(out, " offset %.0fs", sum->offset);
		fputs(sum->ends, out);
	}
	fputc(')', out);
}

/* A query that put() writes, asked for the time that is looked at. */
static int ask(const struct fleet_options *options,
	       void (*put)(const struct fleet_options *options, const void *context, FILE *out),
	       const void *context, double start, double end, double step,
	       struct engine_answer *answer)
{
	char *query = NULL;
	size_t size;
	FILE *out = open_memstream(&query, &size);
	int err = -ENOMEM;

	if (out) {
		put(options, context, out);
		err = fclose(out) ? -ENOMEM : 0;
	}
	if (!err)
		err = engine__query(&options->engine, query, start, end, step, answer);
	free(query);
	return err;
}

/*
 * Which lines to look at.
 */

struct candidates {
	const char *const *names;
	double seconds;
};

/* What has grown most in the last so many seconds. What was not there then has grown from nothing.
 */
static void put_candidates(const struct fleet_options *options, const void *context, FILE *out)
{
	const struct candidates *candidates = context;
	const struct sum now = {"sum by (" BY ") (", ")", 0};
	const struct sum then = {"sum by (" BY ") (", ")", candidates->seconds};

	fprintf(out, "topk(%zu, ", options->top * CANDIDATES);
	put_sums(options, candidates->names, NULL, &now, out);
	fputs(" - (", out);
	put_sums(options, candidates->names, NULL, &then, out);
	fputs(" or ", out);
	put_sums(options, candidates->names, NULL, &now, out);
	fputs(" * 0))", out);
}

static bool has_line(const struct engine_answer *lines, const struct engine_series *line)
{
	size_t i;

	for (i = 0; i < lines->n; i++) {
		if (!compare_labels(lines->series[i].labels, line->labels))
			return true;
	}
	return false;
}

/* Adds what only the other answer has. Its labels stay that answer's. */
static int join(struct engine_answer *lines, const struct engine_answer *more)
{
	struct engine_series *all =
		reallocarray(lines->series, lines->n + more->n + 1, sizeof(*all));
	size_t i;

	if (!all)
		return -ENOMEM;
	lines->series = all;
	for (i = 0; i < more->n; i++) {
		if (has_line(lines, &more->series[i]))
			continue;
		all[lines->n] = more->series[i];
		all[lines->n++].values = NULL;
	}
	return 0;
}

/*
 * How they did.
 */

static void put_hosts(const struct fleet_options *options, const void *context, FILE *out)
{
	const struct sum hosts = {"sum by (" BY ",instance) (", ")", 0};

	put_sums(options, raw, context, &hosts, out);
}

static int take_line(struct fleet *fleet, const struct engine_series *hosts, size_t n)
{
	struct fleet_line *line = &fleet->lines[fleet->n];
	auto_free struct host_series *series = calloc(n, sizeof(*series));
	size_t i, k;

	line->total = malloc(fleet->nvalues * sizeof(*line->total));
	if (!series || !line->total)
		return -ENOMEM;
	fleet->n++;
	memcpy(line->labels, hosts->labels, sizeof(line->labels));
	for (k = 0; k < fleet->nvalues; k++)
		line->total[k] = NAN;
	for (i = 0; i < n; i++) {
		series[i] = (struct host_series){hosts[i].values, fleet->nvalues};
		for (k = 0; k < fleet->nvalues; k++) {
			if (!isnan(hosts[i].values[k]))
				line->total[k] = hosts[i].values[k] +
						 (isnan(line->total[k]) ? 0 : line->total[k]);
		}
	}
	line->trend = trend__of_line(series, n);
	line->first = line->trend.growing ? hosts[line->trend.first].labels[LABEL_INSTANCE] : "";
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct fleet_line *x = a, *y = b;

	if (x->trend.trend != y->trend.trend)
		return x->trend.trend < y->trend.trend ? -1 : 1;
	if (x->trend.slope != y->trend.slope)
		return x->trend.slope < y->trend.slope ? 1 : -1;
	if (x->trend.held != y->trend.held)
		return x->trend.held < y->trend.held ? 1 : -1;
	return compare_labels(x->labels, y->labels);
}

static bool is_of_pages(const struct fleet_line *line)
{
	return line->labels[LABEL_MODE] && !strcmp(line->labels[LABEL_MODE], "rss");
}

/* First touches name busy lines: where blocks are counted, they do not tell. */
static bool is_counted_better(const struct fleet *fleet, const struct fleet_line *line)
{
	size_t i;

	for (i = 0; is_of_pages(line) && i < fleet->n; i++) {
		if (!is_of_pages(&fleet->lines[i]) &&
		    !strcmp(fleet->lines[i].labels[LABEL_PROGRAM], line->labels[LABEL_PROGRAM]))
			return true;
	}
	return false;
}

static void drop_worse(struct fleet *fleet)
{
	size_t i, n = 0;

	for (i = 0; i < fleet->n; i++) {
		if (is_counted_better(fleet, &fleet->lines[i]))
			free(fleet->lines[i].total);
		else
			fleet->lines[n++] = fleet->lines[i];
	}
	fleet->n = n;
}

static int look_at_hosts(const struct fleet_options *options, const struct engine_answer *lines,
			 struct fleet *fleet)
{
	const struct engine_series *series;
	size_t i, n;
	int err;

	fleet->step = options->seconds / (STEPS - 1);
	fleet->start = options->end - options->seconds;
	err = ask(options, put_hosts, lines, fleet->start, options->end, fleet->step,
		  &fleet->answer);
	if (err)
		return err;
	fleet->nvalues = fleet->answer.nvalues;
	sort(&fleet->answer);
	fleet->lines = calloc(fleet->answer.n + 1, sizeof(*fleet->lines));
	if (!fleet->lines)
		return -ENOMEM;
	for (i = 0; !err && i < fleet->answer.n; i += n) {
		series = &fleet->answer.series[i];
		for (n = 1;
		     i + n < fleet->answer.n && !compare_labels(series->labels, series[n].labels);
		     n++)
			;
		if (has_line(lines, series))
			err = take_line(fleet, series, n);
	}
	return err;
}

/* What has grown over all of the time, and what lately. */
static int find_candidates(const struct fleet_options *options, const char *const *names,
			   struct engine_answer *lines)
{
	const struct candidates all = {names, options->seconds};
	const struct candidates late = {names, options->seconds / RECENT};
	struct engine_answer more = {0};
	int err = ask(options, put_candidates, &all, options->end, options->end, 0, lines);

	if (err || !lines->n)
		return err;
	err = ask(options, put_candidates, &late, options->end, options->end, 0, &more);
	if (!err)
		err = join(lines, &more);
	/* Labels of the one are in the other's tree. */
	lines->more = more.tree;
	more.tree = NULL;
	engine_answer__free(&more);
	return err;
}

int fleet__ask(const struct fleet_options *options, struct fleet *fleet)
{
	struct engine_answer lines = {0};
	size_t i;
	int err;

	*fleet = (struct fleet){0};
	err = find_candidates(options, recorded, &lines);
	if (!err && !lines.n) {
		engine_answer__free(&lines);
		err = find_candidates(options, raw, &lines);
	}
	if (!err && !lines.n) {
		log_error("%s has no lines of pymemtop%s: does it scrape `pymemtop serve`?",
			  options->engine.url, options->program ? " for that program" : "");
		err = -ENODATA;
	}
	if (!err)
		err = look_at_hosts(options, &lines, fleet);
	engine_answer__free(&lines);
	if (err) {
		fleet__free(fleet);
		return err;
	}
	drop_worse(fleet);
	qsort(fleet->lines, fleet->n, sizeof(*fleet->lines), compare_lines);
	for (i = options->top; i < fleet->n; i++)
		free(fleet->lines[i].total);
	if (fleet->n > options->top)
		fleet->n = options->top;
	return 0;
}

void fleet__free(struct fleet *fleet)
{
	size_t i;

	for (i = 0; i < fleet->n; i++)
		free(fleet->lines[i].total);
	free(fleet->lines);
	engine_answer__free(&fleet->answer);
	*fleet = (struct fleet){0};
}

/*
 * Two times.
 */

static void put_average(const struct fleet_options *options, const void *context, FILE *out)
{
	static const char range[] = "[" AVERAGE "])))";
	const struct sum average = {"avg by (" BY ") (sum by (" BY ",instance) (avg_over_time(",
				    range, 0};

	(void)context;
	put_sums(options, raw, NULL, &average, out);
}

static int compare_changes(const void *a, const void *b)
{
	const struct fleet_change *x = a, *y = b;
	double of_x = fabs((isnan(x->now) ? 0 : x->now) - (isnan(x->before) ? 0 : x->before));
	double of_y = fabs((isnan(y->now) ? 0 : y->now) - (isnan(y->before) ? 0 : y->before));

	return of_x < of_y ? 1 : of_x > of_y ? -1 : compare_labels(x->labels, y->labels);
}

/* Both answers are sorted. */
static int merge(struct fleet_changes *changes)
{
	const struct engine_answer *before = &changes->answers[0], *now = &changes->answers[1];
	struct fleet_change *change;
	size_t i = 0, k = 0;
	int order;

	changes->changes = calloc(before->n + now->n + 1, sizeof(*changes->changes));
	if (!changes->changes)
		return -ENOMEM;
	while (i < before->n || k < now->n) {
		order = i == before->n ? 1
			: k == now->n
				? -1
				: compare_labels(before->series[i].labels, now->series[k].labels);
		change = &changes->changes[changes->n++];
		memcpy(change->labels, order > 0 ? now->series[k].labels : before->series[i].labels,
		       sizeof(change->labels));
		change->before = order <= 0 ? before->series[i++].values[0] : NAN;
		change->now = order >= 0 ? now->series[k++].values[0] : NAN;
	}
	qsort(changes->changes, changes->n, sizeof(*changes->changes), compare_changes);
	return 0;
}

int fleet__compare(const struct fleet_options *options, double before, double now,
		   struct fleet_changes *changes)
{
	const double times[2] = {before, now};
	size_t i;
	int err = 0;

	*changes = (struct fleet_changes){0};
	for (i = 0; !err && i < 2; i++) {
		err = ask(options, put_average, NULL, times[i], times[i], 0, &changes->answers[i]);
		if (!err)
			sort(&changes->answers[i]);
	}
	if (!err)
		err = merge(changes);
	if (err)
		fleet_changes__free(changes);
	return err;
}

void fleet_changes__free(struct fleet_changes *changes)
{
	free(changes->changes);
	engine_answer__free(&changes->answers[0]);
	engine_answer__free(&changes->answers[1]);
	*changes = (struct fleet_changes){0};
}
