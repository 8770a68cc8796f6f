/* SPDX-License-Identifier: BSD-2-Clause */
/* What is alive in a process, by type: from looks at its memory into its profile. */
#ifndef ALIVE_H
#define ALIVE_H

#include "inspect/census.h"
#include "profile/profile.h"

/* Fills in the types, and what each has gained from the first census to now's. Returns 0 or
 * -ENOMEM. */
int alive__fill(struct profile *profile, struct profile_alive *alive, const struct census *first,
		const struct census *now);

/* For qsort(3) of struct profile_alive_type: what has gained most bytes first, then what takes
 * most. */
int alive__compare_growth(const void *a, const void *b);

#endif /* ALIVE_H */
