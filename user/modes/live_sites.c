// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "modes/live_sites.h"

static void forget_old(struct live_sites *live)
{
	free(live->old_sites);
	free(live->old_counters);
	live->old_sites = NULL;
	live->old_counters = NULL;
	live->nold = 0;
}

void live_sites__free(struct live_sites *live)
{
	forget_old(live);
	free(live->sites);
	*live = (struct live_sites){0};
}

int live_sites__begin(struct live_sites *live, struct pool_counters *counters)
{
	size_t i;

	live->old_counters = calloc(live->n + 1, sizeof(*live->old_counters));
	if (!live->old_counters)
		return -ENOMEM;
	for (i = 0; i < live->n; i++) {
		live->old_counters[i] = counters[live->sites[i]];
		counters[live->sites[i]] = (struct pool_counters){0};
	}
	live->old_sites = live->sites;
	live->nold = live->n;
	live->sites = NULL;
	live->n = 0;
	return 0;
}

int live_sites__add(struct live_sites *live, struct pool_counters *counters, __u32 site,
		    uint64_t bytes)
{
	__u32 *more;

	if (!counters[site].count) {
		if (!(live->n & (live->n - 1))) {
			more = reallocarray(live->sites, live->n ? 2 * live->n : 1, sizeof(*more));
			if (!more)
				return -ENOMEM;
			live->sites = more;
		}
		live->sites[live->n++] = site;
	}
	counters[site].bytes += bytes;
	counters[site].count++;
	return 0;
}

void live_sites__end(struct live_sites *live, struct pool_counters *counters, bool holds)
{
	size_t i;

	if (!holds) {
		for (i = 0; i < live->n; i++)
			counters[live->sites[i]] = (struct pool_counters){0};
		for (i = 0; i < live->nold; i++)
			counters[live->old_sites[i]] = live->old_counters[i];
		free(live->sites);
		live->sites = live->old_sites;
		live->n = live->nold;
		live->old_sites = NULL;
	}
	forget_old(live);
}
