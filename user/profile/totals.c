// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/totals.h"

int totals__reserve(struct totals *totals, size_t n)
{
	struct values *more;

	if (n <= totals->n)
		return 0;
	n += n / 2 + 64;
	more = reallocarray(totals->of, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + totals->n, 0, (n - totals->n) * sizeof(*more));
	totals->of = more;
	totals->n = n;
	return 0;
}

int totals__of_snapshot(struct totals *totals, const struct schema *schema,
			const struct snapshot *snapshot, const struct stack_table *stacks,
			const struct totals *folded)
{
	int err = totals__reserve(totals, stack_table__count(stacks));
	struct values values;
	ssize_t stack;
	size_t i;

	if (err)
		return err;
	for (i = 0; i < totals->n; i++)
		totals->of[i] = i < folded->n ? folded->of[i] : (struct values){0};
	for (i = 1; i < snapshot->nsites; i++) {
		stack = stack_table__of_site(stacks, i);
		if (stack < 0)
			continue;
		values = values__of_counters(schema, &snapshot->sites[i]);
		values__add(schema, &totals->of[stack], &values);
	}
	return 0;
}

void totals__move(struct totals *totals, const struct schema *schema, size_t from, size_t to)
{
	values__add(schema, &totals->of[to], &totals->of[from]);
	totals->of[from] = (struct values){0};
}

void totals__done(struct totals *totals)
{
	free(totals->of);
	*totals = (struct totals){0};
}
