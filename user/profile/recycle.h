/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing grows with time: what can count no more is folded into what is kept, and its numbers are
 * given out again. Ended children become sums of the process that the user named; stacks of code
 * objects that died, and hold nothing, keep their totals.
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

/* What a collector's counts are folded into; all of it outlives the recycler. */
struct ledger {
	const struct collector *collector;
	const struct schema *schema;
	struct totals *folded; /* by stack */
	struct totals *before; /* moved along with the stacks */
};

/* All arguments outlive the recycler. Returns NULL if out of memory. */
struct recycler *recycler__new(struct tracer *tracer, struct stack_table *stacks,
			       struct programs *programs);
void recycler__free(struct recycler *recycler);

/* Adds a ledger: one for each collector of the tracer. Returns 0 or -E2BIG. */
int recycler__add(struct recycler *recycler, const struct ledger *ledger);

/* Call it about once a second. infos are by process id; those of recycled ids are freed. Returns 0
 * or -errno. */
int recycler__run(struct recycler *recycler, struct process_info **infos);

/* Whether it should be called several times a second. */
bool recycler__is_pressed(const struct recycler *recycler);

#endif /* RECYCLE_H */
