/* SPDX-License-Identifier: BSD-2-Clause */
/* From counts by site to amounts by line and by stack. */
#ifndef SUMS_H
#define SUMS_H

#include "profile.h"
#include "snapshot.h"
#include "stacks.h"

enum line_order {
	BY_INCREMENT,
	BY_OUTSTANDING,
};

/* What all sites of each line, and of each stack, come to. */
struct sums {
	struct profile_line *lines;	/* by index in stacks */
	struct profile_stack *stacks;
};

/* Sums a snapshot up, with increments since another, or since the attach where that
 * is NULL. levels: what is mapped are levels, of which the highest is taken (mode lines). 0
 * or -ENOMEM; sums__free() in either case. */
int sums__init(struct sums *sums, const struct stacks *stacks, const struct snapshot *now,
	       const struct snapshot *before, bool levels);
void sums__free(struct sums *sums);

/* Writes the lines and stacks of one process to where its own pointers lead, sorted,
 * and its totals. */
void sums__fill(const struct sums *sums, const struct stacks *stacks, size_t id,
		enum line_order order, struct profile_process *process);

/* Sorts the lines that a process has, and makes its totals of them. */
void sums__add_up(struct profile_process *process, enum line_order order);

#endif /* SUMS_H */
