/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLOCK_H
#define CLOCK_H

#include <time.h>

/* Seconds on one of clock_gettime(2)'s clocks. */
static inline double clock_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

#endif /* CLOCK_H */
