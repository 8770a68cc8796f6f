// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <string.h>

#include "serve/trend.h"

/* A life shorter than this tells nothing. */
#define LEAST_VALUES 6

/* A value that falls below this part of the one before is a new beginning. */
#define RESTART 0.5

/* That many new beginnings, each after a short life, are a saw's teeth. */
#define TEETH 3

/* Growth is steady if each third of the life has at least this part of what a third would have; and
 * if its values are above what there was before, but for a few. */
#define LEAST_THIRD 0.4
#define MOST_FALLS  0.25

/* Less than this part of what there is in the end is no growth, but noise. */
#define LEAST_GROWTH 0.02

/* One step with that part of all growth is a jump. */
#define JUMP 0.7

static const char *const names[TRENDS] = {
	[TREND_LEAK] = "leak",	    [TREND_SOME] = "some hosts",   [TREND_ONE] = "one host",
	[TREND_FILLS] = "fills up", [TREND_STEP] = "step",	   [TREND_SAW] = "comes and goes",
	[TREND_STEADY] = "steady",  [TREND_TOO_SHORT] = "too new",
};

const char *trend__name(enum trend trend)
{
	return names[trend];
}

/* Where lives begin, of the values that there are. */
struct lives {
	size_t beginnings; /* after the first */
	size_t start, end; /* of the last life that is long enough; end: one past it */
	size_t values;	   /* of that life */
	size_t longest;	   /* values of the longest life */
};

static void end_life(struct lives *lives, size_t start, size_t end, size_t values)
{
	if (values > lives->longest)
		lives->longest = values;
	/* The last life may just have begun. */
	if (values >= LEAST_VALUES || !lives->values) {
		lives->start = start;
		lives->end = end;
		lives->values = values;
	}
}

static struct lives find_lives(const struct host_series *series)
{
	struct lives lives = {0};
	size_t i, start = 0, values = 0;
	double last = NAN;

	for (i = 0; i < series->n; i++) {
		if (isnan(series->values[i]))
			continue;
		if (values && series->values[i] < last * RESTART) {
			end_life(&lives, start, i, values);
			lives.beginnings++;
			start = i;
			values = 0;
		}
		if (!values)
			start = i;
		last = series->values[i];
		values++;
	}
	end_life(&lives, start, series->n, values);
	return lives;
}

/* The first or last value in [start, end). NaN: there is none. */
static double value_at(const struct host_series *series, size_t start, size_t end, int from_end)
{
	size_t i;

	for (i = 0; i < end - start; i++) {
		size_t at = from_end ? end - 1 - i : start + i;

		if (!isnan(series->values[at]))
			return series->values[at];
	}
	return NAN;
}

/* How a life goes: what it has grown by, the largest part of it in one step, and steps back. */
struct course {
	double grown, jump;
	size_t falls, steps;
};

static struct course course_of(const struct host_series *series, size_t start, size_t end)
{
	struct course course = {0};
	double last = NAN, change;
	size_t i;

	for (i = start; i < end; i++) {
		if (isnan(series->values[i]))
			continue;
		change = series->values[i] - last;
		if (!isnan(last)) {
			course.steps++;
			course.falls += change < 0;
			course.grown += change;
			course.jump = fmax(course.jump, change);
		}
		last = series->values[i];
	}
	return course;
}

enum trend trend__of_host(const struct host_series *series, double *slope, size_t *since)
{
	struct lives lives = find_lives(series);
	struct course course = course_of(series, lives.start, lives.end);
	size_t length = lives.end - lives.start, third;
	double last, thirds[3];
	int i;

	*slope = 0;
	*since = lives.start;
	if (lives.beginnings >= TEETH && lives.longest * TEETH < series->n)
		return TREND_SAW;
	if (lives.values < LEAST_VALUES)
		return TREND_TOO_SHORT;
	last = value_at(series, lives.start, lives.end, 1);
	if (course.grown < LEAST_GROWTH * last || course.grown <= 0)
		return TREND_STEADY;
	if (course.jump > JUMP * course.grown)
		return TREND_STEP;
	for (i = 0; i < 3; i++) {
		third = lives.start + i * length / 3;
		thirds[i] = value_at(series, third, lives.start + (i + 1) * length / 3, 1) -
			    value_at(series, i ? third - 1 : third, lives.end, 0);
	}
	if (!(thirds[2] > LEAST_THIRD / 3 * course.grown))
		return TREND_FILLS;
	if (!(thirds[1] > LEAST_THIRD / 3 * course.grown) ||
	    (double)course.falls > MOST_FALLS * (double)course.steps)
		return TREND_STEADY;
	*slope = course.grown / (double)(length - 1);
	return TREND_LEAK;
}

/* What most of the hosts do, that do not grow steadily. */
static enum trend most_of(const size_t counts[TRENDS])
{
	enum trend most = TREND_TOO_SHORT, i;

	for (i = TREND_FILLS; i < TRENDS; i++) {
		if (counts[i] > counts[most] || (i != TREND_TOO_SHORT && counts[i] == counts[most]))
			most = i;
	}
	return most;
}

struct line_trend trend__of_line(const struct host_series *hosts, size_t n)
{
	struct line_trend line = {.since = SIZE_MAX};
	size_t i, since, counts[TRENDS] = {0};
	enum trend trend;
	double slope, last;

	for (i = 0; i < n; i++) {
		last = hosts[i].n ? hosts[i].values[hosts[i].n - 1] : NAN;
		if (isnan(last) && hosts[i].n > 1)
			last = hosts[i].values[hosts[i].n - 2];
		trend = trend__of_host(&hosts[i], &slope, &since);
		line.held += isnan(last) ? 0 : last;
		line.hosts += !isnan(last);
		if (isnan(last))
			continue;
		counts[trend]++;
		if (trend != TREND_LEAK)
			continue;
		line.growing++;
		line.slope += slope;
		if (since < line.since) {
			line.since = since;
			line.first = i;
		}
	}
	if (line.growing * 2 >= line.hosts && line.growing)
		line.trend = TREND_LEAK;
	else if (line.growing == 1)
		line.trend = TREND_ONE;
	else
		line.trend = line.growing ? TREND_SOME : most_of(counts);
	if (!line.growing)
		line.since = 0;
	return line;
}
