// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <ncurses.h>

#include "base/format.h"
#include "profile/alive.h"
#include "view/panels.h"
#include "view/screen.h"

/* Rows, one for each type of all processes, and what they were made of. */
struct panel {
	struct profile_alive_type *rows;
	size_t n;
	struct profile_alive sum;
	size_t processes; /* that were looked at */
	const char *why;  /* one of them could not be looked at the last time; NULL: all could */
};

static int compare_types(const void *a, const void *b)
{
	const struct profile_alive_type *x = a, *y = b;
	int order = strcmp(x->now.name, y->now.name);

	if (!order)
		order = strcmp(x->file ?: "", y->file ?: "");
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void add_alive(struct panel *panel, const struct profile_alive *alive)
{
	struct profile_alive *sum = &panel->sum;

	panel->why = alive->why ?: panel->why;
	if (!alive->types)
		return;
	memcpy(panel->rows + panel->n, alive->types, alive->ntypes * sizeof(*panel->rows));
	panel->n += alive->ntypes;
	if (!panel->processes++ || alive->first_seconds < sum->first_seconds)
		sum->first_seconds = alive->first_seconds;
	if (alive->seconds > sum->seconds)
		sum->seconds = alive->seconds;
	sum->count += alive->count;
	sum->bytes += alive->bytes;
	sum->count_change += alive->count_change;
	sum->bytes_change += alive->bytes_change;
}

/* Returns false if out of memory. */
static bool make_panel(const struct profile *profile, struct panel *panel)
{
	struct profile_alive_type *rows;
	size_t i, all = 0, n = 0;

	for (i = 0; i < profile->nprocesses; i++)
		all += profile->processes[i].alive.ntypes;
	panel->rows = rows = calloc(all + 1, sizeof(*rows));
	if (!rows)
		return false;
	for (i = 0; i < profile->nprocesses; i++)
		add_alive(panel, &profile->processes[i].alive);
	qsort(rows, panel->n, sizeof(*rows), compare_types);
	for (i = 0; i < panel->n; i++) {
		if (n && !compare_types(&rows[n - 1], &rows[i])) {
			rows[n - 1].now.count += rows[i].now.count;
			rows[n - 1].now.bytes += rows[i].now.bytes;
			rows[n - 1].count_change += rows[i].count_change;
			rows[n - 1].bytes_change += rows[i].bytes_change;
		} else {
			rows[n++] = rows[i];
		}
	}
	panel->n = n;
	qsort(rows, n, sizeof(*rows), alive__compare_growth);
	return true;
}

static void put_head(const struct profile *profile, const struct panel *panel, int *y)
{
	const struct profile_alive *sum = &panel->sum;
	char text[512];

	attron(A_BOLD);
	screen__put(y, "Types of all objects that are alive, by growth");
	attroff(A_BOLD);
	if (!panel->processes) {
		snprintf(text, sizeof(text), "%s", panel->why ?: "the first look is under way");
		screen__put(y, text);
		return;
	}
	snprintf(text, sizeof(text),
		 "%s objects in %zu process%s, %s; %s in %.0f s; looked at %.0f s ago%s%s",
		 format_count(sum->count).s, panel->processes, panel->processes == 1 ? "" : "es",
		 format_bytes(sum->bytes).s, format_change(sum->bytes_change).s,
		 sum->seconds - sum->first_seconds, profile->duration_seconds - sum->seconds,
		 panel->why ? "; the last look failed: " : "", panel->why ?: "");
	screen__put(y, text);
}

static void put_row(const struct profile_alive_type *row, double minutes, int *y)
{
	char text[1024], line[32] = "";

	snprintf(text, sizeof(text), "%12s %12s %12s %12s %12s  %s%s",
		 format_count(row->now.count).s, format_count_change(row->count_change).s,
		 format_bytes(row->now.bytes).s, format_change(row->bytes_change).s,
		 minutes > 0 ? format_change((int64_t)(row->bytes_change / minutes)).s : "",
		 row->now.name, row->file ? "  " : "");
	if (row->line)
		snprintf(line, sizeof(line), ":%" PRId64, row->line);
	screen__put_path(y, text, row->file ?: "", line);
}

void types_panel__draw(const struct profile *profile)
{
	struct panel panel = {0};
	char titles[128];
	double minutes;
	size_t i;
	int y = 0;

	if (!make_panel(profile, &panel)) {
		screen__put(&y, "out of memory");
		return;
	}
	put_head(profile, &panel, &y);
	minutes = (panel.sum.seconds - panel.sum.first_seconds) / 60;
	snprintf(titles, sizeof(titles), "%12s %12s %12s %12s %12s  %s", "Objects", "Change",
		 "Bytes", "Change", "a minute", "Type");
	attron(A_REVERSE);
	screen__put(&y, titles);
	attroff(A_REVERSE);
	for (i = 0; i < panel.n && y < LINES - 1; i++)
		put_row(&panel.rows[i], minutes, &y);
	free(panel.rows);
}
