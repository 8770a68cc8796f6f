/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a probe sits. The cost of a hit depends on the instruction there: one that
 * the kernel emulates is some 35 times cheaper than one that it must single-step (measured on Linux
 * 6.18 in a VM). So a probe sits on the first instruction that
 *
 *  - every call of interest passes, once,
 *  - is reached with the argument registers that we read still intact,
 *  - every supported kernel emulates.
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
	unsigned int args; /* that we read */
	bool returns;	   /* the return is probed too: needs the entry's stack pointer */
	bool null_is_idle; /* a call with NULL as its first argument does nothing */
};

struct placement {
	uint64_t address; /* as linked */
	bool emulated;
	char instruction[64]; /* as assembler text */
	const char *why;
};

/* Code, and its linked address. */
struct code_bytes {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
};

/*
 * Places a probe in the function of that size at that address. text is all code that could jump
 * into it, including the function. Always finds a place: at worst the entry.
 */
void placement__find(const struct code_bytes *text, uint64_t function, size_t size,
		     const struct placement_spec *spec, struct placement *placement);

/* Reads a file's executable code into memory; the caller frees it by free() on bytes. 0 or
 * -errno. */
int placement__read_text(const struct elf_file *elf, struct code_bytes *text);

#endif /* PLACEMENT_H */
