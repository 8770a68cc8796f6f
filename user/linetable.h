/* SPDX-License-Identifier: BSD-2-Clause */
/* From a code object's line table and an instruction's offset to a line. */
#ifndef LINETABLE_H
#define LINETABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The line of the instruction at the byte offset; first_line is co_firstlineno.
 * 0 where the instruction has no line, or the table ends before it or is
 * malformed.
 */
typedef int line_decoder(const uint8_t *table, size_t size, int first_line, int offset);

/* CPython 3.11 and later: Objects/locations.md of 3.11, Objects/codeobject.c. */
line_decoder line_from_location_table;

#endif /* LINETABLE_H */
