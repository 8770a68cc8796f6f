/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sites mean: each site's stack with names, made once, when the BPF side
 * sends it. Sites whose stacks read the same are one stack; stacks with the same
 * leaf are one line.
 */
#ifndef STACK_TABLE_H
#define STACK_TABLE_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#include "symbols/code_objects.h"

struct stack {
	__u32 process;
	__u32 line;			 /* index of its line */
	size_t nframes;			 /* at least 1 */
	const struct location *frames[]; /* leaf first */
};

struct line {
	__u32 process;
	const struct location *location;
};

struct stack_table;

struct stack_table *stack_table__new(void);
void stack_table__free(struct stack_table *stacks);

/* Takes one record of the ring. 0, or -ENOMEM; what makes no sense is passed
 * over. */
int stack_table__add_record(struct stack_table *stacks, const void *data, size_t size);

/* Both live as long as the stacks, and never change: there only come more. */
size_t stack_table__count(const struct stack_table *stacks);
const struct stack *stack_table__get(const struct stack_table *stacks, size_t i);
size_t stack_table__line_count(const struct stack_table *stacks);
const struct line *stack_table__line(const struct stack_table *stacks, size_t i);

/* The index of a site's stack, -1 where it has not arrived. */
ssize_t stack_table__of_site(const struct stack_table *stacks, size_t site);

#endif /* STACK_TABLE_H */
