/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in a function a probe sits. */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <stdint.h>

#include "elffile.h"

/* The linked address for a probe on the function that begins at the address. */
uint64_t placement__of_entry(const struct elf_file *elf, uint64_t address);

#endif /* PLACEMENT_H */
