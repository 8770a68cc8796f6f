/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Seconds on one of clock_gettime(2)'s clocks. */
static inline double clock_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Linux's clocks of processes (include/linux/posix-timers_types.h): user time only, which traps do
 * not touch, as far as the timer's ticks tell; and all of it. */
enum process_clock {
	USER_TIME = 1,
	ALL_TIME = 2,
};

/* Seconds of CPU time that a process has taken. False: it is gone. */
static inline bool clock_of_process(pid_t pid, enum process_clock clock, double *seconds)
{
	struct timespec ts;

	if (clock_gettime((clockid_t)(~(unsigned int)pid << 3 | clock), &ts))
		return false;
	*seconds = ts.tv_sec + ts.tv_nsec / 1e9;
	return true;
}

#endif /* CLOCK_H */
