// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/log.h"
#include "cli/limits.h"

/* Lines that are named. */
#define SHOWN 3

struct unit {
	const char *name;
	double size;
};

static const struct unit sizes[] = {
	{"KiB", 1024.0},
	{"MiB", 1024.0 * 1024},
	{"GiB", 1024.0 * 1024 * 1024},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
	{"", 1},
};

static const struct unit times[] = {{"/s", 1}, {"/min", 60}, {"/h", 3600}};

static const struct {
	const char *name;
	bool is_size, has_time;
} names[] = {
	[LIMITED_HELD] = {"held", true, false},	 [LIMITED_GROWTH] = {"growth", true, true},
	[LIMITED_PEAK] = {"peak", true, false},	 [LIMITED_RSS] = {"rss", true, false},
	[LIMITED_LOST] = {"lost", false, false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The unit that a text begins with, and goes on after. NULL: none. */
static const struct unit *take_unit(const struct unit *units, size_t n, const char **text)
{
	size_t i, length;

	for (i = 0; i < n; i++) {
		length = strlen(units[i].name);
		if (strncmp(*text, units[i].name, length))
			continue;
		*text += length;
		return &units[i];
	}
	return NULL;
}

int limit__parse(const char *text, struct limit *limit)
{
	const struct unit *size, *time;
	const char *at = text;
	char *end;
	size_t i, length;

	for (i = 0; i < COUNT(names); i++) {
		length = strlen(names[i].name);
		if (strncmp(text, names[i].name, length))
			continue;
		at = text + length;
		at += strspn(at, " ");
		if (*at++ != '>')
			return -EINVAL;
		limit->what = i;
		limit->text = text;
		limit->most = strtod(at, &end);
		if (end == at || !(limit->most >= 0) || isinf(limit->most))
			return -EINVAL;
		at = end + strspn(end, " ");
		size = names[i].is_size ? take_unit(sizes, COUNT(sizes), &at) : NULL;
		time = names[i].has_time ? take_unit(times, COUNT(times), &at) : NULL;
		if (*at || (names[i].has_time && !time))
			return -EINVAL;
		limit->most *= size ? size->size : 1;
		limit->most /= time ? time->size : 1;
		return 0;
	}
	return -EINVAL;
}

static double value_of(const struct profile *profile, const struct profile_process *process,
		       enum limited what)
{
	double held = (double)values__held(&profile->schema, &process->total), lost = 0;
	int cause;

	switch (what) {
	case LIMITED_HELD:
		return held;
	case LIMITED_GROWTH:
		return held / fmax(profile->duration_seconds, 1);
	case LIMITED_PEAK:
		return (double)process->peak_bytes;
	case LIMITED_RSS:
		return (double)process->rss_bytes;
	default:
		for (cause = 0; cause < LOST_CAUSES; cause++)
			lost += cause == LOST_RUN ? 0 : (double)process->lost[cause];
		return lost;
	}
}

/* The lines that hold most. */
static void say_lines(const struct profile *profile, const struct profile_process *process)
{
	const struct profile_line *line, *largest[SHOWN] = {NULL};
	const struct location *location;
	char number[16];
	int64_t held;
	size_t i, k, n;

	for (i = 0; i < process->nlines; i++) {
		line = &process->lines[i];
		if (values__held(&profile->schema, &line->values) <= 0)
			continue;
		for (k = 0; k < SHOWN && largest[k] &&
			    values__held(&profile->schema, &largest[k]->values) >=
				    values__held(&profile->schema, &line->values);
		     k++)
			;
		for (n = SHOWN - 1; k < SHOWN && n > k; n--)
			largest[n] = largest[n - 1];
		if (k < SHOWN)
			largest[k] = line;
	}
	for (i = 0; i < SHOWN && largest[i]; i++) {
		location = largest[i]->location;
		held = values__held(&profile->schema, &largest[i]->values);
		if (location->line)
			snprintf(number, sizeof(number), ":%d", location->line);
		log_notice("  %s %s%s%s%s%s", format_bytes((uint64_t)held).s, location->file,
			   location->line ? number : "", location->function[0] ? " (" : "",
			   location->function, location->function[0] ? ")" : "");
	}
}

static void say(const struct profile *profile, const struct profile_process *process,
		const struct limit *limit, double value)
{
	double shown = limit->what == LIMITED_GROWTH ? value * 60 : value;

	log_error("process %d: %s: it is %s%s", process->pid, limit->text,
		  names[limit->what].is_size ? format_bytes((uint64_t)shown).s
					     : format_count((uint64_t)shown).s,
		  limit->what == LIMITED_GROWTH ? " a minute" : "");
	say_lines(profile, process);
}

bool limits__are_exceeded(const struct limit *limits, size_t n, const struct profile *profile)
{
	bool exceeded = false;
	double value;
	size_t i, p;

	for (p = 0; p < profile->nprocesses; p++) {
		for (i = 0; i < n; i++) {
			value = value_of(profile, &profile->processes[p], limits[i].what);
			if (!(value > limits[i].most))
				continue;
			say(profile, &profile->processes[p], &limits[i], value);
			exceeded = true;
		}
	}
	return exceeded;
}
