/* SPDX-License-Identifier: BSD-2-Clause */
/* From a code object's line table and an instruction's offset to a line. */
#ifndef LINETABLE_H
#define LINETABLE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/*
 * The line of the instruction at the offset, in bytes, with LINES_PEP626 in instructions
 * (f_lasti of 3.10); negative for a frame that has not begun. first_line is
 * co_firstlineno. As PyCode_Addr2Line() of the version has it, but 0
 * where the instruction has no line, or the table ends before it or is malformed.
 */
int line_table__line(enum line_table type, const uint8_t *table, size_t size, int first_line,
		     int offset);

#endif /* LINETABLE_H */
