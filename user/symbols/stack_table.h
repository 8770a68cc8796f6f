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

/* A code object: the address alone can be another's in time. */
struct code_at {
	__u64 address;
	__u32 generation;
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

/*
 * By index, which stays as long as the stack or line does; NULL where there is none any more.
 * The counts are above all indexes. They change with what is added, moved and forgotten.
 */
size_t stack_table__count(const struct stack_table *stacks);
const struct stack *stack_table__get(const struct stack_table *stacks, size_t i);
size_t stack_table__line_count(const struct stack_table *stacks);
const struct line *stack_table__line(const struct stack_table *stacks, size_t i);

/* Above all sites. */
size_t stack_table__site_count(const struct stack_table *stacks);

/* The index of a site's stack, -1 where it has not arrived, or is forgotten. */
ssize_t stack_table__of_site(const struct stack_table *stacks, size_t site);

/* The hash of a site that has arrived, and the code objects of its frames: n of them, none
 * where these cannot die. */
__u64 stack_table__hash(const struct stack_table *stacks, size_t site);
const struct code_at *stack_table__codes(const struct stack_table *stacks, size_t site, size_t *n);

/* There is no such site any more: its number can be another stack's. */
void stack_table__forget_site(struct stack_table *stacks, size_t site);

/* Makes a stack one of another process. The index that it has there, where one that reads the
 * same is the same; or -ENOMEM. No site may be of it any more. */
ssize_t stack_table__move(struct stack_table *stacks, size_t index, __u32 process);

/* Whether a site is of the stack; and how many stacks there are. */
bool stack_table__has_sites(const struct stack_table *stacks, size_t i);
size_t stack_table__used(const struct stack_table *stacks);

/* Makes a stack that no site is of one of "[forgotten]" of its process; the index of that, or
 * -ENOMEM. What only it needed goes with the next sweep. */
ssize_t stack_table__forget(struct stack_table *stacks, size_t index);
void stack_table__sweep(struct stack_table *stacks);

/* Whose names the frames have; the stack table owns them. */
struct code_objects *stack_table__code_objects(const struct stack_table *stacks);

#endif /* STACK_TABLE_H */
