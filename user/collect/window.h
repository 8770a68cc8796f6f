/* SPDX-License-Identifier: BSD-2-Clause */
/* What a collector saw while its probes were there for a moment: a window. */
#ifndef WINDOW_H
#define WINDOW_H

#include "collect/collector.h"

/* The programs' runs since they were loaded, and their time in nanoseconds. They are counted while
 * BPF_STATS_RUN_TIME is enabled. */
struct program_time {
	uint64_t runs, nanoseconds;
};
struct program_time collector__program_time(const struct collector *collector);

/* Forgets what was seen until all probes were there. 0 or -errno. */
int collector__begin_window(struct collector *collector);

/*
 * Takes what was made in the window and lives, while the probes are still there: so what is in a
 * place now is what was made in it last. weight, span: see kept__end_window(). 0 or -errno.
 */
int collector__end_window(struct collector *collector, double weight, double span);

#endif /* WINDOW_H */
