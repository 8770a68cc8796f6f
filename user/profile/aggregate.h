/* SPDX-License-Identifier: BSD-2-Clause */
/* From counts by site to amounts by line and by stack. */
#ifndef AGGREGATE_H
#define AGGREGATE_H

#include "collect/snapshot.h"
#include "profile/profile.h"
#include "symbols/stack_table.h"

enum line_order {
	BY_INCREMENT,
	BY_OUTSTANDING,
};

/* What all sites of each line, and of each stack, come to. */
struct aggregate {
	struct profile_line *lines; /* by index in stacks */
	struct profile_stack *stacks;
};

/* Sums a snapshot up, with increments since another, or since the attach where that
 * is NULL. levels: what is mapped are levels, of which the highest is taken (mode lines). 0
 * or -ENOMEM; aggregate__free() in either case. */
int aggregate__init(struct aggregate *aggregate, const struct stack_table *stacks,
		    const struct snapshot *now, const struct snapshot *before, bool levels);
void aggregate__free(struct aggregate *aggregate);

/* Writes the lines and stacks of one process to where its own pointers lead, sorted,
 * and its totals. */
void aggregate__fill(const struct aggregate *aggregate, const struct stack_table *stacks, size_t id,
		     enum line_order order, struct profile_process *process);

/* Sorts the lines that a process has, and makes its totals of them. */
void aggregate__add_up(struct profile_process *process, enum line_order order);

#endif /* AGGREGATE_H */
