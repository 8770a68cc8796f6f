/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of which programs grow, on all hosts that an engine knows. */
#ifndef FLEET_H
#define FLEET_H

#include "serve/engine.h"
#include "serve/trend.h"

struct fleet_options {
	struct engine engine;
	double end, seconds; /* the time that is looked at; seconds since 1970, and how long */
	const char *program; /* a regular expression of RE2; NULL: all */
	size_t top;	     /* lines, at most */
};

struct fleet_line {
	const char *labels[ENGINE_LABELS]; /* but for the instance */
	struct line_trend trend;
	const char *first; /* the instance that began to grow first; "": none has */
	double *total;	   /* of all hosts, at each step; NaN: of none */
};

struct fleet {
	size_t n;
	struct fleet_line *lines; /* leaks first, then what grows fastest */
	size_t nvalues;
	double start, step;
	struct engine_answer answer; /* what the labels are in */
};

/* Asks, first which lines have grown most, then how these did on each host. 0 and the lines, which
 * the caller frees, or -errno, having said why. */
int fleet__ask(const struct fleet_options *options, struct fleet *fleet);
void fleet__free(struct fleet *fleet);

/* A line's total at one time and at another: averages of some minutes around each. */
struct fleet_change {
	const char *labels[ENGINE_LABELS];
	double before, now; /* bytes of a host; NaN: no host had it */
};

struct fleet_changes {
	size_t n;
	struct fleet_change *changes; /* the largest first */
	struct engine_answer answers[2];
};

/* What is different between two times, seconds since 1970, as with a release: per host. */
int fleet__compare(const struct fleet_options *options, double before, double now,
		   struct fleet_changes *changes);
void fleet_changes__free(struct fleet_changes *changes);

#endif /* FLEET_H */
