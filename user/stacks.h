/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sites mean: each site's stack with names, made once, when the BPF side
 * sends it. Sites whose stacks read the same are one stack; stacks with the same
 * leaf are one line.
 */
#ifndef STACKS_H
#define STACKS_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#include "names.h"

struct stack {
	__u32 process;
	__u32 line;		/* index of its line */
	size_t nframes;		/* at least 1 */
	const struct name *frames[];	/* leaf first */
};

struct line {
	__u32 process;
	const struct name *place;
};

struct stacks;

struct stacks *stacks__new(void);
void stacks__free(struct stacks *stacks);

/* Takes one record of the ring. 0, or -ENOMEM; what makes no sense is passed
 * over. */
int stacks__add_record(struct stacks *stacks, const void *data, size_t size);

/* Both live as long as the stacks, and never change: there only come more. */
size_t stacks__count(const struct stacks *stacks);
const struct stack *stacks__get(const struct stacks *stacks, size_t i);
size_t stacks__line_count(const struct stacks *stacks);
const struct line *stacks__line(const struct stacks *stacks, size_t i);

/* The index of a site's stack, -1 where it has not arrived. */
ssize_t stacks__of_site(const struct stacks *stacks, size_t site);

#endif /* STACKS_H */
