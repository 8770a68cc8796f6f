/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions with certain names in a file's table of symbols. */
#ifndef ELF_FUNCTIONS_H
#define ELF_FUNCTIONS_H

#include "target/elffile.h"

/*
 * Reads a table that can have hundreds of thousands of symbols, piece by piece: first the names, to
 * find the wanted ones among them, then the symbols, to find what has these. Returns 0 and the
 * functions, none if there is no table, which the caller frees; or -errno.
 */
int elf_functions__read(const struct elf_file *elf, bool (*wants)(const char *name),
			struct elf_function **functions, size_t *n);

void elf_functions__free(struct elf_function *functions, size_t n);

#endif /* ELF_FUNCTIONS_H */
