/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in a process's memory, made fit to be printed. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "inspect/memory.h"
#include "inspect/sizes.h"

/* Reads up to most characters of the str at an address; more: whether there were more. Returns
 * malloc'ed UTF-8, or NULL: it is no str, or memory is short. */
char *text__read(struct memory *memory, const struct py_layout *layout, uint64_t address,
		 size_t most, bool *more);

#endif /* TEXT_H */
