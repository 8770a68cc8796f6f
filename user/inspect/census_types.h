/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a census: one for all types that have a name and a place in common. */
#ifndef CENSUS_TYPES_H
#define CENSUS_TYPES_H

#include "inspect/census.h"
#include "inspect/reach.h"

/* Makes them from one for each type: finds the places, merges and sorts. Returns 0 or -ENOMEM. */
int census_types__finish(struct census *census, struct heap *heap,
			 const struct census_options *options);

/* Only merges and sorts. Returns 0 or -ENOMEM. */
int census_types__index(struct census *census);

#endif /* CENSUS_TYPES_H */
