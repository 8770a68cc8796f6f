/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds a profile from a snapshot, symbols, and what is known about processes. */
#ifndef BUILD_H
#define BUILD_H

#include "collect/snapshot.h"
#include "profile/process_info.h"
#include "profile/profile.h"
#include "profile/programs.h"
#include "profile/totals.h"
#include "symbols/stack_table.h"

struct build_input {
	const char *host;
	const char *mode;
	const struct schema *schema;
	bool sums_callers, counts_arenas, counts_small, counts_resident;
	const struct snapshot *now;
	const struct totals *totals; /* of now */
	const struct totals *before; /* changes are since these; NULL: since the attach */
	double begin;		     /* the attach, by CLOCK_MONOTONIC */
	bool at_peak;
	double before_seconds; /* when these were taken, after the attach */
	const struct stack_table *stacks;
	struct process_info *const *infos; /* by process id; NULL: nothing is known */
	const struct programs *programs;   /* with their ended processes */
	enum line_order order;
};

/* Returns 0 and a profile, which the caller frees and which refers to nothing of the input, or
 * -ENOMEM. */
int profile__build(const struct build_input *input, struct profile **profile);

#endif /* BUILD_H */
