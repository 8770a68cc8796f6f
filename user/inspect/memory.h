/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's memory, as it is while it runs: reads that lie close together cost one system call
 * for all of them. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory;

/* Returns 0 and the memory of a process, or -errno if its maps cannot be read. */
int memory__new(pid_t pid, struct memory **memory);
void memory__free(struct memory *memory);

/* Reads size bytes; false if not all of them are there. What was read before may be older. */
bool memory__read(struct memory *memory, uint64_t address, void *to, size_t size);

/* A part of the address space: what programs allocate, or the static data of files. */
struct memory_range {
	uint64_t start, end;
	bool is_static;
};

/* The ranges that the process can write to, by address; stacks are none of them. */
const struct memory_range *memory__ranges(const struct memory *memory, size_t *n);

/* The range around an address, NULL if it is in none. */
const struct memory_range *memory__range_of(const struct memory *memory, uint64_t address);

#endif /* MEMORY_H */
