/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process's sites hold, found by looking at its memory. All processes share the counters by
 * site, because each site belongs to one process. A look replaces what the last one found; if the
 * process ended meanwhile, the last one stays valid.
 */
#ifndef LIVE_SITES_H
#define LIVE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Of one process; starts all zero. */
struct live_sites {
	__u32 *sites; /* sites whose counters are not 0 */
	size_t n;
	/* From the last look, while a new one is under way: */
	__u32 *old_sites;
	struct pool_counters *old_counters;
	size_t nold;
};

void live_sites__free(struct live_sites *live);

/* Begins a look: nothing is held. Returns 0 or -ENOMEM. */
int live_sites__begin(struct live_sites *live, struct pool_counters *counters);

/* Adds one thing of that many bytes to what a site holds. Returns 0 or -ENOMEM. */
int live_sites__add(struct live_sites *live, struct pool_counters *counters, __u32 site,
		    uint64_t bytes);

/* Ends a look. holds: keep what it found, else keep what there was before. */
void live_sites__end(struct live_sites *live, struct pool_counters *counters, bool holds);

#endif /* LIVE_SITES_H */
