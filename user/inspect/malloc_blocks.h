/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of glibc's malloc() in a process's memory. */
#ifndef MALLOC_BLOCKS_H
#define MALLOC_BLOCKS_H

#include "inspect/memory.h"

/* Returns how many bytes the block that begins at an address has room for; 0: none that is in use
 * begins there, as far as what lies around it tells. */
uint64_t malloc_block__size(struct memory *memory, uint64_t address);

#endif /* MALLOC_BLOCKS_H */
