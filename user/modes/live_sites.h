/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process's sites hold, by a look at its memory: in counters by site that all processes
 * share, as each site is one's only. A look replaces what the last one found, or, where the process
 * ended meanwhile, leaves it.
 */
#ifndef LIVE_SITES_H
#define LIVE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Of one process; all zero at first. */
struct live_sites {
	__u32 *sites; /* with counters that are not 0 */
	size_t n;
	/* Of the last look, while one is under way: */
	__u32 *old_sites;
	struct pool_counters *old_counters;
	size_t nold;
};

void live_sites__free(struct live_sites *live);

/* A look begins: nothing is held. 0 or -ENOMEM. */
int live_sites__begin(struct live_sites *live, struct pool_counters *counters);

/* Adds one thing of that many bytes to what a site holds. 0 or -ENOMEM. */
int live_sites__add(struct live_sites *live, struct pool_counters *counters, __u32 site,
		    uint64_t bytes);

/* The look is over: what it found holds from now on, or else what there was before. */
void live_sites__end(struct live_sites *live, struct pool_counters *counters, bool holds);

#endif /* LIVE_SITES_H */
