// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>

#include "symbols/linetable.h"

/* _PyCodeLocationInfoKind, cpython/code.h */
enum {
	LOCATION_ONE_LINE0 = 10,
	LOCATION_ONE_LINE2 = 12,
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
};

#define CODE_UNIT 2 /* bytes: sizeof(_Py_CODEUNIT) */

/* Objects/lnotab_notes.txt of 3.8: pairs of increments, of the offset and of the line. Returns the
 * last line that begins at or before the offset. */
static int line_of_lnotab(const uint8_t *table, size_t size, struct line_cursor *cursor, int offset)
{
	for (; cursor->at + 1 < size; cursor->at += 2) {
		if (cursor->from + table[cursor->at] > offset)
			break;
		cursor->from += table[cursor->at];
		cursor->line += (int8_t)table[cursor->at + 1];
	}
	return cursor->line;
}

/* Objects/lnotab_notes.txt of 3.10, PEP 626: pairs of a range's length, and the difference of its
 * line from the one before. */
static int line_of_pep626(const uint8_t *table, size_t size, struct line_cursor *cursor,
			  int instruction)
{
	unsigned int line;
	bool has_line;

	for (; cursor->at + 1 < size; cursor->at += 2) {
		has_line = (int8_t)table[cursor->at + 1] != -128;
		line = cursor->line + (has_line ? (int8_t)table[cursor->at + 1] : 0);
		if (instruction < (cursor->from + table[cursor->at]) / CODE_UNIT)
			return has_line ? (int)line : 0;
		cursor->from += table[cursor->at];
		cursor->line = line;
	}
	return 0;
}

/* Six bits per byte, the least significant first; bit 6 says that more follow. */
static bool take_varint(const uint8_t **at, const uint8_t *end, unsigned int *value)
{
	unsigned int shift = 0;
	uint8_t byte;

	*value = 0;
	do {
		if (*at == end || shift > 30)
			return false;
		byte = *(*at)++;
		*value |= (unsigned int)(byte & 63) << shift;
		shift += 6;
	} while (byte & 64);
	return true;
}

/* The sign is in the lowest bit. */
static bool take_signed(const uint8_t **at, const uint8_t *end, int *value)
{
	unsigned int bits;

	if (!take_varint(at, end, &bits))
		return false;
	*value = bits & 1 ? -(int)(bits >> 1) : (int)(bits >> 1);
	return true;
}

/* CPython 3.11 and later: Objects/locations.md of 3.11, Objects/codeobject.c. */
static int line_of_locations(const uint8_t *table, size_t size, struct line_cursor *cursor,
			     int offset)
{
	const uint8_t *at = table + cursor->at, *end = table + size;
	unsigned int kind, line;
	int length, delta;

	while (at < end && (*at & 128)) {
		kind = *at >> 3 & 15;
		length = ((*at & 7) + 1) * CODE_UNIT;
		at++;
		delta = 0;
		if (kind == LOCATION_NO_COLUMNS || kind == LOCATION_LONG) {
			if (!take_signed(&at, end, &delta))
				return 0;
		} else if (kind >= LOCATION_ONE_LINE0 && kind <= LOCATION_ONE_LINE2) {
			delta = kind - LOCATION_ONE_LINE0;
		}
		line = cursor->line + delta;
		if (offset >= cursor->from && offset < cursor->from + length)
			return kind == LOCATION_NONE ? 0 : (int)line;
		/* Skip columns, and the rest of a long form: bytes without bit 7. */
		while (at < end && !(*at & 128))
			at++;
		*cursor = (struct line_cursor){at - table, cursor->from + length, line};
	}
	return 0;
}

/* Whether the offset lies before the cursor; with LINES_PEP626 that counts bytes. */
static bool is_behind(const struct line_cursor *cursor, enum line_table type, int offset)
{
	return type == LINES_PEP626 ? offset < cursor->from / CODE_UNIT : offset < cursor->from;
}

int line_table__line(enum line_table type, const uint8_t *table, size_t size, int first_line,
		     int offset, struct line_cursor *cursor)
{
	static int (*const decoders[])(const uint8_t *, size_t, struct line_cursor *, int) = {
		[LINES_LNOTAB] = line_of_lnotab,
		[LINES_PEP626] = line_of_pep626,
		[LINES_LOCATIONS] = line_of_locations,
	};

	if (type == LINES_ARE_POSITIONS || type >= LINE_TABLES)
		return offset;
	if (offset < 0)
		return first_line;
	if (!cursor->at || is_behind(cursor, type, offset))
		*cursor = (struct line_cursor){.line = first_line};
	return decoders[type](table, size, cursor, offset);
}
