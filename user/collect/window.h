/* SPDX-License-Identifier: BSD-2-Clause */
/* What a collector saw while its probes were there for a moment: a window. */
#ifndef WINDOW_H
#define WINDOW_H

#include "collect/collector.h"

/* How often programs have run since they were loaded, in traps and otherwise, and for how many
 * nanoseconds. The kernel counts while BPF_STATS_RUN_TIME is enabled. */
struct program_time {
	uint64_t traps, others, nanoseconds;
};
struct program_time collectors__program_time(const struct collector_set *collectors);

static inline struct program_time program_time__since(struct program_time now,
						      struct program_time before)
{
	return (struct program_time){now.traps - before.traps, now.others - before.others,
				     now.nanoseconds - before.nanoseconds};
}

/* What it takes of CPU time, with the traps, each of so many seconds. */
static inline double program_time__seconds(struct program_time time, double trap)
{
	return (double)time.nanoseconds / 1e9 + (double)time.traps * trap;
}

/* Forgets what was seen until all probes were there. 0 or -errno. */
int collector__begin_window(struct collector *collector);

/*
 * Takes what was made in the window and lives, while the probes are still there: so what is in a
 * place now is what was made in it last. weight, span: see kept__end_window(). 0 or -errno.
 */
int collector__end_window(struct collector *collector, double weight, double span);

#endif /* WINDOW_H */
