/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing grows with time: what can count no more is folded into what is kept, and its numbers
 * are given out again. Children that have ended become sums of the process that the user named;
 * stacks of code objects that died, and hold nothing, keep their totals.
 */
#ifndef RECYCLE_H
#define RECYCLE_H

#include "collect/tracer.h"
#include "profile/process_info.h"
#include "profile/programs.h"
#include "profile/totals.h"
#include "profile/values.h"
#include "symbols/stack_table.h"

struct recycler;

/* What a collector's counts are folded into, all of it outliving the recycler. */
struct ledger {
	const struct collector *collector;
	const struct schema *schema;
	struct totals *folded; /* by stack */
	struct totals *before; /* whose stacks move along */
};

/* All that it is given outlives it. NULL where memory is short. */
struct recycler *recycler__new(struct tracer *tracer, struct stack_table *stacks,
			       struct programs *programs);
void recycler__free(struct recycler *recycler);

/* One for each collector of the tracer. 0 or -E2BIG. */
int recycler__add(struct recycler *recycler, const struct ledger *ledger);

/* To be called about once a second. infos are by process id; those that go are freed. 0 or
 * -errno. */
int recycler__run(struct recycler *recycler, struct process_info **infos);

/* Whether it had better be called several times a second. */
bool recycler__is_pressed(const struct recycler *recycler);

#endif /* RECYCLE_H */
