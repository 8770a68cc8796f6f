/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line's memory does over time, on many hosts: a leak grows, and goes on growing, wherever
 * the program runs; a cache fills up; a batch comes and goes; a deploy is a step.
 */
#ifndef TREND_H
#define TREND_H

#include <stddef.h>
#include <stdint.h>

enum trend {
	TREND_LEAK,	 /* grows steadily on at least half of the hosts */
	TREND_SOME,	 /* ... on some hosts */
	TREND_ONE,	 /* ... on one of several */
	TREND_FILLS,	 /* has grown, and grows no more */
	TREND_STEP,	 /* has grown at once */
	TREND_SAW,	 /* comes and goes */
	TREND_STEADY,	 /* none of these */
	TREND_TOO_SHORT, /* there are too few values to tell */
	TRENDS,
};

/* One host's values, one each step; NaN: there is none. */
struct host_series {
	const double *values;
	size_t n;
};

struct line_trend {
	enum trend trend;
	size_t hosts, growing; /* that have values at the end; of these, that grow steadily */
	double slope;	       /* of all growing hosts together, in values a step */
	double held;	       /* of all hosts at the end */
	size_t since;	       /* the step at which the first host began to grow */
	size_t first;	       /* that host */
};

/* What one host's values do. slope: in values a step, 0 if they do not grow steadily; since: where
 * that began. A restart, where they begin again, ends one life and begins another; the last one
 * that is long enough counts. */
enum trend trend__of_host(const struct host_series *series, double *slope, size_t *since);

/* What a line does, on n hosts, at least one. */
struct line_trend trend__of_line(const struct host_series *hosts, size_t n);

/* "leak", "one host", ... */
const char *trend__name(enum trend trend);

#endif /* TREND_H */
