// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/progress.h"

/* Seconds until there is a line, and between two of them. */
#define FIRST	 1.0
#define INTERVAL 0.25

/* Calls between two looks at the clock. */
#define CALLS 1024

static bool shows, is_there;
static unsigned int calls;
static double next;

void progress_begin(void)
{
	shows = isatty(STDERR_FILENO);
	next = clock_seconds(CLOCK_MONOTONIC) + FIRST;
	calls = 0;
}

void progress_at(const char *what, uint64_t done, uint64_t total)
{
	double now;

	if (!shows || calls++ % CALLS)
		return;
	now = clock_seconds(CLOCK_MONOTONIC);
	if (now < next)
		return;
	next = now + INTERVAL;
	is_there = true;
	fprintf(stderr, "\r%s: %s", what, format_count(done).s);
	if (total)
		fprintf(stderr, " of %s", format_count(total).s);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void progress_end(void)
{
	if (is_there)
		fputs("\r\033[K", stderr);
	is_there = shows = false;
}
