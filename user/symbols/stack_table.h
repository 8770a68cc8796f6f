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

/* A code object: over time, another one can have the same address. */
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

/* Takes one record from the ring. Returns 0 or -ENOMEM; what makes no sense is skipped. */
int stack_table__add_record(struct stack_table *stacks, const void *data, size_t size);

/* Takes a line table that is too long for records, malloc'ed, even if it fails. 0 or -ENOMEM. */
int stack_table__add_long_table(struct stack_table *stacks, const struct long_table *record,
				uint8_t *table);

/*
 * Stacks and lines by index, which is valid as long as they exist; NULL: it is gone. The counts are
 * above all indexes. They change with what is added, moved and forgotten.
 */
size_t stack_table__count(const struct stack_table *stacks);
const struct stack *stack_table__get(const struct stack_table *stacks, size_t i);
size_t stack_table__line_count(const struct stack_table *stacks);
const struct line *stack_table__line(const struct stack_table *stacks, size_t i);

/* A number above all sites. */
size_t stack_table__site_count(const struct stack_table *stacks);

/* Returns the index of a site's stack, or -1 if it has not come, or was forgotten. */
ssize_t stack_table__of_site(const struct stack_table *stacks, size_t site);

/* The hash of a site that has come, and its frames' n code objects; none if they cannot die. */
__u64 stack_table__hash(const struct stack_table *stacks, size_t site);
const struct code_at *stack_table__codes(const struct stack_table *stacks, size_t site, size_t *n);

/* Forgets a site that is gone: another stack can get its number. */
void stack_table__forget_site(struct stack_table *stacks, size_t site);

/* Moves a stack to another process. Returns its index there, which is that of an equal stack if
 * there is one, or -ENOMEM. No site may have the stack any more. */
ssize_t stack_table__move(struct stack_table *stacks, size_t index, __u32 process);

/* Whether any site has the stack; and how many stacks there are. */
bool stack_table__has_sites(const struct stack_table *stacks, size_t i);
size_t stack_table__used(const struct stack_table *stacks);

/* Replaces a stack that no site has by its process's "[forgotten]". Returns the index of that, or
 * -ENOMEM. What only the old stack needed goes with the next sweep. */
ssize_t stack_table__forget(struct stack_table *stacks, size_t index);
void stack_table__sweep(struct stack_table *stacks);

/* The code objects that the frames' names come from; the stack table owns them. */
struct code_objects *stack_table__code_objects(const struct stack_table *stacks);

#endif /* STACK_TABLE_H */
