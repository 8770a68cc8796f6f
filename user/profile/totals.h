/* SPDX-License-Identifier: BSD-2-Clause */
/* The sum of all sites of each stack: values by index in the stack table. */
#ifndef TOTALS_H
#define TOTALS_H

#include "collect/snapshot.h"
#include "profile/values.h"
#include "symbols/stack_table.h"

struct totals {
	size_t n;
	struct values *of;
};

/* Makes room for at least n stacks; new ones are 0. Returns 0 or -ENOMEM. */
int totals__reserve(struct totals *totals, size_t n);

/* Sets totals to those of a snapshot and of what was folded before it. totals is zero, or the
 * result of an earlier call. Returns 0 or -ENOMEM. */
int totals__of_snapshot(struct totals *totals, const struct schema *schema,
			const struct snapshot *snapshot, const struct stack_table *stacks,
			const struct totals *folded);

/* Moves a stack's values to another stack's. There must be room for both. */
void totals__move(struct totals *totals, const struct schema *schema, size_t from, size_t to);

void totals__done(struct totals *totals);

#endif /* TOTALS_H */
