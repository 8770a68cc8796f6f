/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Profiles as metrics, for Prometheus and what reads its formats: by program, not by process, so
 * that their number is bounded. Of each program the largest lines, and one sum of all others.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "profile/profile.h"

struct metrics;

/* top: lines of each program and mode. NULL if memory is short. */
struct metrics *metrics__new(size_t top);
void metrics__free(struct metrics *metrics);

struct metrics_input {
	const struct profile *const *profiles; /* of the same processes, each of another mode */
	size_t n;
	bool openmetrics;      /* OpenMetrics 1.0, else Prometheus's text format 0.0.4 */
	double cpu_seconds;    /* what we have used */
	uint64_t rss_bytes;    /* what we have resident */
	double scrape_seconds; /* what making the profiles took */
};

/* Writes all. A line that was there the last time stays until another one has a quarter more, so
 * that series do not come and go. Returns 0 or -ENOMEM. */
int metrics__write(struct metrics *metrics, const struct metrics_input *input, FILE *out);

#endif /* METRICS_H */
