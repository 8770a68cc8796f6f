/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a probe sits. What a hit costs depends on the instruction
 * under it: one that the kernel emulates is some 35 times cheaper than one that it
 * must single-step (measured on Linux 6.18 in a VM). So the first one is taken that
 *
 *  - every call of interest passes, once,
 *  - is reached with the argument registers that are read as they were,
 *  - is emulated by every supported kernel.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/elffile.h"

/* Arguments, as bits. */
#define ARG(n) (1u << ((n)-1))

struct placement_spec {
	unsigned int args; /* that are read */
	bool returns;	   /* also the return is probed: needs the stack pointer of the entry */
	bool null_is_idle; /* with NULL for the first argument, the call does nothing */
};

struct placement {
	uint64_t address; /* as linked */
	bool emulated;
	char instruction[64]; /* in assembler */
	const char *why;
};

/* Code, and where it lies when linked. */
struct code_bytes {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
};

/*
 * Places a probe in the function of that size at that address; text is all that
 * could jump into it, the function included. Always finds a place: at worst the
 * entry.
 */
void placement__find(const struct code_bytes *text, uint64_t function, size_t size,
		     const struct placement_spec *spec, struct placement *placement);

/* All executable code of a file, in memory that the caller frees by free() on
 * bytes. 0 or -errno. */
int placement__read_text(const struct elf_file *elf, struct code_bytes *text);

#endif /* PLACEMENT_H */
