// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/format.h"
#include "base/json.h"
#include "base/utf8.h"
#include "serve/fleet_report.h"

#define HOUR 3600.0

/* Characters of a sparkline. */
#define SPARKS 16

/* What an engine has can be anything: it is made fit for a terminal. */
static void put_text(const char *text, FILE *out)
{
	auto_free char *printable = utf8_from_str((const uint8_t *)text, strlen(text), 0);

	fputs(printable ? printable : "", out);
}

static void put_line(const char *const *labels, FILE *out)
{
	put_text(labels[LABEL_FILE], out);
	fputc(':', out);
	put_text(labels[LABEL_LINE], out);
	if (labels[LABEL_FUNCTION][0]) {
		fputs(" (", out);
		put_text(labels[LABEL_FUNCTION], out);
		fputc(')', out);
	}
}

/* The highest value of each part, from nothing to the highest of all. */
static void put_sparkline(const double *values, size_t n, FILE *out)
{
	static const char *const sparks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
					     "\u2585", "\u2586", "\u2587", "\u2588"};
	double most = 0, highest;
	size_t i, k;

	for (i = 0; i < n; i++)
		most = fmax(most, values[i]);
	for (i = 0; i < SPARKS; i++) {
		highest = NAN;
		for (k = i * n / SPARKS; k < (i + 1) * n / SPARKS; k++)
			highest = fmax(highest, values[k]);
		if (isnan(highest) || most <= 0)
			fputc(' ', out);
		else
			fputs(sparks[(int)fmin(7, fmax(0, highest / most * 8))], out);
	}
}

static double slope_an_hour(const struct fleet *fleet, const struct fleet_line *line)
{
	return line->trend.slope / fleet->step * HOUR;
}

static time_t since_of(const struct fleet *fleet, const struct fleet_line *line)
{
	return (time_t)(fleet->start + (double)line->trend.since * fleet->step);
}

int fleet_report__text(const struct fleet *fleet, FILE *out)
{
	const struct fleet_line *line;
	size_t i;

	fprintf(out, "From %s to %s, on all hosts\n\n", format_time((time_t)fleet->start).s,
		format_time((time_t)(fleet->start + fleet->step * (double)(fleet->nvalues - 1))).s);
	fprintf(out, "%12s  %-9s  %11s  %-14s  %-20s  %-*s  %s\n", "An hour", "Hosts", "Hold",
		"What it does", "Since", SPARKS, "All hosts", "Program  line (function)");
	for (i = 0; i < fleet->n; i++) {
		line = &fleet->lines[i];
		fprintf(out, "%12s  %4zu/%-4zu  %11s  %-14s  %-20s  ",
			line->trend.growing ? format_change((int64_t)slope_an_hour(fleet, line)).s
					    : "-",
			line->trend.growing, line->trend.hosts,
			format_bytes((uint64_t)fmax(line->trend.held, 0)).s,
			trend__name(line->trend.trend),
			line->trend.growing ? format_time(since_of(fleet, line)).s : "");
		put_sparkline(line->total, fleet->nvalues, out);
		fputs("  ", out);
		put_text(line->labels[LABEL_PROGRAM], out);
		fputs("  ", out);
		put_line(line->labels, out);
		fputc('\n', out);
		if (line->trend.growing && line->trend.hosts > 1) {
			fprintf(out, "%12s  first on ", "");
			put_text(line->first, out);
			fputc('\n', out);
		}
	}
	return 0;
}

static void put_labels(struct json_writer *writer, const char *const *labels)
{
	json__text_member(writer, "program", labels[LABEL_PROGRAM]);
	json__text_member(writer, "file", labels[LABEL_FILE]);
	json__text_member(writer, "line", labels[LABEL_LINE]);
	json__text_member(writer, "function", labels[LABEL_FUNCTION]);
	json__text_member(writer, "mode", labels[LABEL_MODE]);
}

int fleet_report__json(const struct fleet *fleet, FILE *out)
{
	struct json_writer *writer = json_writer__new(out);
	const struct fleet_line *line;
	size_t i, k;

	if (!writer)
		return -ENOMEM;
	json__open_map(writer);
	json__string_member(writer, "start", format_time((time_t)fleet->start).s);
	json__number_member(writer, "step_seconds", fleet->step);
	json__string(writer, "lines");
	json__open_array(writer);
	for (i = 0; i < fleet->n; i++) {
		line = &fleet->lines[i];
		json__open_map(writer);
		put_labels(writer, line->labels);
		json__string_member(writer, "trend", trend__name(line->trend.trend));
		json__integer_member(writer, "hosts", (int64_t)line->trend.hosts);
		json__integer_member(writer, "growing_hosts", (int64_t)line->trend.growing);
		json__number_member(writer, "bytes_an_hour", slope_an_hour(fleet, line));
		json__integer_member(writer, "held_bytes", (int64_t)line->trend.held);
		if (line->trend.growing) {
			json__string_member(writer, "since", format_time(since_of(fleet, line)).s);
			json__text_member(writer, "first_host", line->first);
		}
		json__string(writer, "total_bytes");
		json__open_array(writer);
		for (k = 0; k < fleet->nvalues; k++)
			json__integer(writer, isnan(line->total[k]) ? 0 : (int64_t)line->total[k]);
		json__close_array(writer);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__close_map(writer);
	return json_writer__end(writer) == -ENOMEM ? -ENOMEM : 0;
}

static double change_of(const struct fleet_change *change)
{
	return (isnan(change->now) ? 0 : change->now) -
	       (isnan(change->before) ? 0 : change->before);
}

int fleet_report__changes_text(const struct fleet_changes *changes, size_t top, FILE *out)
{
	const struct fleet_change *change;
	size_t i;

	fprintf(out, "A host, on average\n\n%12s  %12s  %12s  %s\n", "Change", "Before", "After",
		"Program  line (function)");
	for (i = 0; i < changes->n && i < top; i++) {
		change = &changes->changes[i];
		fprintf(out, "%12s  %12s  %12s  ", format_change((int64_t)change_of(change)).s,
			isnan(change->before) ? "new"
					      : format_bytes((uint64_t)fmax(change->before, 0)).s,
			isnan(change->now) ? "gone"
					   : format_bytes((uint64_t)fmax(change->now, 0)).s);
		put_text(change->labels[LABEL_PROGRAM], out);
		fputs("  ", out);
		put_line(change->labels, out);
		fputc('\n', out);
	}
	return 0;
}

int fleet_report__changes_json(const struct fleet_changes *changes, size_t top, FILE *out)
{
	struct json_writer *writer = json_writer__new(out);
	const struct fleet_change *change;
	size_t i;

	if (!writer)
		return -ENOMEM;
	json__open_map(writer);
	json__string(writer, "changes");
	json__open_array(writer);
	for (i = 0; i < changes->n && i < top; i++) {
		change = &changes->changes[i];
		json__open_map(writer);
		put_labels(writer, change->labels);
		json__integer_member(writer, "change_bytes", (int64_t)change_of(change));
		if (!isnan(change->before))
			json__integer_member(writer, "before_bytes", (int64_t)change->before);
		if (!isnan(change->now))
			json__integer_member(writer, "after_bytes", (int64_t)change->now);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__close_map(writer);
	return json_writer__end(writer) == -ENOMEM ? -ENOMEM : 0;
}
