/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A budget: probes are on the targets in windows only, so that they cost no more than a part of
 * the CPU time that the targets take themselves. What is allocated in windows is a sample, fair in
 * the targets' own CPU time: a window in which they run slower stands for less of it. What of it
 * still lives some seconds later is kept (collect/kept.h).
 */
#ifndef WINDOWS_H
#define WINDOWS_H

#include "collect/tracer.h"
#include "profile/profile.h"

struct windows;

/* max_overhead: the part, 0.01 for 1 %. The tracer's probes are in place; a window begins. Returns
 * 0 and the windows, or -errno, having said why. */
int windows__new(struct tracer *tracer, double max_overhead, double min_age,
		 struct windows **windows);

/* NULL is allowed. */
void windows__free(struct windows *windows);

/* Opens and closes windows, and looks at what may be kept, whatever is due. 0 or -errno, having
 * said why. */
int windows__step(struct windows *windows);

/* When the next step is due, in CLOCK_MONOTONIC's seconds. */
double windows__due(const struct windows *windows);

/* Tells the collectors what is known by now of how much more there is than was seen. Call it before
 * a snapshot. */
void windows__estimate(struct windows *windows);

/* What was sampled so far. */
struct profile_windows windows__describe(const struct windows *windows);

#endif /* WINDOWS_H */
