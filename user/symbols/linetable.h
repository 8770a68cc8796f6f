/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns an instruction's offset into a line, by a code object's line table. */
#ifndef LINETABLE_H
#define LINETABLE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Where the last search of a table ended: one for something further on goes on from there, as a
 * module's table can have a million entries, and its lines run one after the other. All zero at
 * first, and only for that table. */
struct line_cursor {
	size_t at;	   /* byte of the table where an entry begins */
	int from;	   /* offset of the first instruction that it is for */
	unsigned int line; /* that the entries before lead to */
};

/*
 * Returns the line of the instruction at the offset, in bytes or, with LINES_PEP626, in
 * instructions (f_lasti of 3.10); negative: the frame has not begun. first_line is co_firstlineno.
 * The result is that of the version's PyCode_Addr2Line(), but 0 if the instruction has no line, or
 * the table ends before it or is malformed.
 */
int line_table__line(enum line_table type, const uint8_t *table, size_t size, int first_line,
		     int offset, struct line_cursor *cursor);

#endif /* LINETABLE_H */
