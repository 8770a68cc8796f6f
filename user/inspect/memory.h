/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's memory, as it is while it runs: reads that lie close together cost one system call
 * for all of them. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/address_space.h"

struct memory;

/* Returns 0 and the memory, or -errno if its maps cannot be read. */
int memory__new(struct address_space space, struct memory **memory);
void memory__free(struct memory *memory);

/* Reads the maps again, and from now on all memory: a list that has grown since has its items
 * elsewhere, maybe in a new mapping. Ranges that were handed out are gone. Returns 0 or -errno. */
int memory__refresh(struct memory *memory);

/* What lies there is read again, and looked for: it may have grown since. */
void memory__reread(struct memory *memory, uint64_t from, uint64_t to);

/* Reads size bytes; false if not all of them are there. What was read before may be older. */
bool memory__read(struct memory *memory, uint64_t address, void *to, size_t size);

/* Reads a word; 0 if it is not there. */
uint64_t memory__word(struct memory *memory, uint64_t address);

/* Reads what is there of the beginning of size bytes: all, or half of it, or half of that, and so
 * on. Returns how many, less than least if not even that. */
size_t memory__read_beginning(struct memory *memory, uint64_t address, void *to, size_t size,
			      size_t least);

/* Reads a text up to its NUL, or as much of it as fits, and makes it printable. False: none there.
 */
bool memory__read_text(struct memory *memory, uint64_t address, char *to, size_t size);

#define FILE_NAME_SIZE 48

/* A part of the address space. Up to static_end it is static data: of files, and their bss, which
 * lies right behind and which the kernel merges with what is allocated above it. */
struct memory_range {
	uint64_t start, end;
	uint64_t static_end;
	char file[FILE_NAME_SIZE]; /* whose data is static, without its folder */
};

/* Whether a page is resident, and the process's own: reading others would bring them in. */
bool memory__is_resident(struct memory *memory, uint64_t address);

/* Moves an address on to the next page that is resident, below the end. False: there is none. */
bool memory__next_resident(struct memory *memory, uint64_t *address, uint64_t end);

/* How many bytes from one address to another are resident. */
uint64_t memory__resident_bytes(struct memory *memory, uint64_t from, uint64_t to);

/* The ranges that the process can write to, by address; stacks are none of them. */
const struct memory_range *memory__ranges(const struct memory *memory, size_t *n);

/* The range around an address, NULL if it is in none. */
const struct memory_range *memory__range_of(const struct memory *memory, uint64_t address);

#endif /* MEMORY_H */
