// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include <ncurses.h>

#include "base/format.h"
#include "view/panels.h"
#include "view/screen.h"

static void put_process(const struct profile *profile, const struct profile_process *process,
			int *y)
{
	const struct schema *schema = &profile->schema;
	char text[512];
	char cost[32] = "";
	uint64_t lost = 0;
	size_t length;
	int cause;

	if (profile->cost.known)
		snprintf(cost, sizeof(cost), ", costs %.1f %% now",
			 100 * profile->cost.cpu_share_now);

	for (cause = 0; cause < LOST_CAUSES; cause++)
		lost += process->lost[cause];
	if (process->program)
		snprintf(text, sizeof(text), "%s  %s processes, %s run  CPython %s, %s, %.0f s%s",
			 process->program, format_count(process->members).s,
			 format_count(process->running).s, process->python, profile->mode,
			 profile->duration_seconds, cost);
	else if (process->ended)
		snprintf(text, sizeof(text), "%s children of %d that have ended, together",
			 format_count(process->ended).s, process->parent);
	else
		snprintf(text, sizeof(text), "%d %s  CPython %s, %s, %s, %.0f s%s%s", process->pid,
			 process->comm, process->python, profile->mode, process->attribution,
			 profile->duration_seconds, cost,
			 process->state == PROCESS_EXITED   ? ", has exited"
			 : process->state == PROCESS_EXECED ? ", has executed another program"
							    : "");
	attron(A_BOLD);
	screen__put(y, text);
	attroff(A_BOLD);
	if (profile->counts_resident)
		snprintf(text, sizeof(text),
			 "RssAnon %s = %s before the attach + %s of the lines + %s in arenas + %s "
			 "unattributed",
			 format_bytes(process->rss_anon_bytes).s,
			 format_bytes(process->before_attach_bytes).s,
			 format_bytes(process->total.of[0]).s,
			 format_bytes(values__get(schema, &process->total, ROLE_ARENA_BYTES)).s,
			 format_signed(process->unattributed_bytes).s);
	else if (schema->types[0].kind == VALUE_CHANGE)
		snprintf(text, sizeof(text), "RSS %s (%s at attach)  added %s by %s lines",
			 format_bytes(process->rss_bytes).s,
			 format_bytes(process->rss_at_attach_bytes).s,
			 format_signed(process->total.of[0]).s,
			 format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s);
	else if (profile->windows.max_overhead > 0)
		snprintf(
			text, sizeof(text),
			"RSS %s (%s at attach)  kept about %s in %s blocks  costs %.1f %% of %.3g %%",
			format_bytes(process->rss_bytes).s,
			format_bytes(process->rss_at_attach_bytes).s,
			format_bytes(process->total.of[0]).s,
			format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s,
			100 * profile->windows.overhead, 100 * profile->windows.max_overhead);
	else
		snprintf(text, sizeof(text),
			 "RSS %s (%s at attach)  outstanding %s in %s blocks  mapped %s",
			 format_bytes(process->rss_bytes).s,
			 format_bytes(process->rss_at_attach_bytes).s,
			 format_bytes(process->total.of[0]).s,
			 format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s,
			 format_bytes(values__get(schema, &process->total, ROLE_MAPPED_BYTES)).s);
	length = strlen(text);
	snprintf(text + length, sizeof(text) - length, "  lost %s  maps %s", format_count(lost).s,
		 format_bytes(profile->map_bytes).s);
	screen__put(y, text);
}

static void put_titles(const struct schema *schema, int *y)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "%12s %12s", schema->types[0].title, "Increment");
	size_t i;

	for (i = 1; i < schema->n; i++) {
		if (schema->types[i].title)
			length += snprintf(text + length, sizeof(text) - length, " %12s",
					   schema->types[i].title);
	}
	snprintf(text + length, sizeof(text) - length, "  Line");
	attron(A_REVERSE);
	screen__put(y, text);
	attroff(A_REVERSE);
}

static void put_line(const struct schema *schema, const struct profile_line *line, int *y)
{
	const struct location *location = line->location;
	char text[256], after[1024];
	int length;
	size_t i;

	length = snprintf(text, sizeof(text), "%12s %12s",
			  value__format(&schema->types[0], line->values.of[0]).s,
			  format_change(values__held(schema, &line->change)).s);
	for (i = 1; i < schema->n; i++) {
		if (schema->types[i].title)
			length += snprintf(text + length, sizeof(text) - length, " %12s",
					   value__format(&schema->types[i], line->values.of[i]).s);
	}
	snprintf(text + length, sizeof(text) - length, "  ");
	snprintf(after, sizeof(after), location->line ? ":%d%s%s%s" : "%.0d%s%s%s", location->line,
		 location->function[0] ? " (" : "", location->function,
		 location->function[0] ? ")" : "");
	screen__put_path(y, text, location->file, after);
}

void lines_panel__draw(const struct profile *profile)
{
	const struct profile_process *process;
	int y = 0, rows;
	size_t p, i;

	for (p = 0; p < profile->nprocesses && y < LINES - 1; p++) {
		process = &profile->processes[p];
		put_process(profile, process, &y);
		put_titles(&profile->schema, &y);
		/* All processes get an equal share of the rows that are left. */
		rows = (LINES - 1 - y) / (int)(profile->nprocesses - p) -
		       (p + 1 < profile->nprocesses);
		for (i = 0; i < process->nlines && rows > 0; i++) {
			if (values__are_arenas(&profile->schema, &process->lines[i].values))
				continue;
			put_line(&profile->schema, &process->lines[i], &y);
			rows--;
		}
	}
}
