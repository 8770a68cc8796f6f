/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing grows with time: what can count no more is folded into what is kept, and its numbers
 * are given out again. Children that have ended become sums of the process that the user named;
 * stacks of code objects that died, and hold nothing, keep their totals.
 */
#ifndef RECYCLE_H
#define RECYCLE_H

#include "collect/collector.h"
#include "profile/ended.h"
#include "profile/process_info.h"
#include "profile/totals.h"
#include "profile/values.h"
#include "symbols/stack_table.h"

struct recycler;

/* All that it is given outlives it. NULL where memory is short. */
struct recycler *recycler__new(struct collector *collector, struct stack_table *stacks,
			       const struct schema *schema);
void recycler__free(struct recycler *recycler);

/*
 * To be called about once a second. infos are by process id; those that go are freed. before
 * are totals whose stacks move along. 0 or -errno.
 */
int recycler__run(struct recycler *recycler, struct process_info **infos, struct totals *before);

/* Whether it had better be called several times a second. */
bool recycler__is_pressed(const struct recycler *recycler);

/* What was folded, by stack, and by the id of a named process. */
const struct totals *recycler__folded(const struct recycler *recycler);
const struct ended *recycler__ended(const struct recycler *recycler);

#endif /* RECYCLE_H */
