// SPDX-License-Identifier: BSD-2-Clause
/* What holds the memory, for flamegraph.pl: each holder in the one that keeps it alive; the width
 * is what it retains. */
#include <inttypes.h>

#include "render/folded.h"
#include "render/objects.h"

#define MOST_DEPTH 80

struct stack {
	const struct holder *of[MOST_DEPTH];
	size_t n;
};

static void put_holder(const struct stack *stack, size_t i, FILE *out)
{
	const char *path = holder__path_in(stack->of[i], i ? stack->of[i - 1] : NULL);

	putc(';', out);
	folded__put_name(path, out);
	if (*path && *stack->of[i]->type)
		putc(' ', out);
	folded__put_name(stack->of[i]->type, out);
}

static void put_stack(const struct inspected *inspected, const struct stack *stack, uint64_t bytes,
		      const char *rest, FILE *out)
{
	size_t i;

	folded__put_name(inspected->comm, out);
	fprintf(out, " %d", inspected->pid);
	for (i = 0; i < stack->n; i++)
		put_holder(stack, i, out);
	fprintf(out, "%s %" PRIu64 "\n", rest, bytes);
}

static void put_inner(const struct inspected *inspected, const struct holder *holder,
		      struct stack *stack, FILE *out)
{
	uint64_t rest = holder->retained_bytes;
	size_t i;

	for (i = 0; i < holder->nholders; i++) {
		rest -= holder->holders[i].retained_bytes;
		if (stack->n == MOST_DEPTH)
			continue;
		stack->of[stack->n++] = &holder->holders[i];
		put_inner(inspected, &holder->holders[i], stack, out);
		stack->n--;
	}
	/* Its own, and what is held by others that are too small to be told. */
	if (rest)
		put_stack(inspected, stack, rest, stack->n ? "" : ";[small holders]", out);
}

static int render(const struct inspected *all, size_t n, size_t top, FILE *out)
{
	struct stack stack = {.n = 0};
	size_t i;

	(void)top;
	for (i = 0; i < n; i++) {
		if (all[i].now && all[i].now->holders)
			put_inner(&all[i], all[i].now->holders, &stack, out);
	}
	return 0;
}

const struct objects_renderer objects_folded_renderer = {
	.name = "folded",
	.ending = ".folded",
	.render = render,
};
