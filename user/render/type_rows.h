/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of objects that are alive, by type, in reports. */
#ifndef TYPE_ROWS_H
#define TYPE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct type_row {
	const char *name;
	const char *file; /* where the class is defined; NULL: not known */
	int64_t line;	  /* 0: not known */
	uint64_t count, bytes;
	int64_t count_change, bytes_change;
};

/* changes: rows have them. */
void type_rows__put_titles(bool changes, FILE *out);
void type_rows__put_row(const struct type_row *row, bool changes, FILE *out);

/* Says what is left out, if only the first shown ones of n rows are there. */
void type_rows__put_rest(size_t shown, size_t n, FILE *out);

#endif /* TYPE_ROWS_H */
