// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>

#include "linetable.h"

/* _PyCodeLocationInfoKind, cpython/code.h */
enum {
	LOCATION_ONE_LINE0 = 10,
	LOCATION_ONE_LINE2 = 12,
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
};

#define CODE_UNIT 2	/* bytes: sizeof(_Py_CODEUNIT) */

/* Six bits a byte, the least significant first; bit 6 says that more follow. */
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

int line_from_location_table(const uint8_t *table, size_t size, int first_line, int offset)
{
	const uint8_t *at = table, *end = table + size;
	unsigned int line = first_line, kind;
	int from = 0, length, delta;

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
		line += delta;
		if (offset >= from && offset < from + length)
			return kind == LOCATION_NONE ? 0 : (int)line;
		from += length;
		/* Columns, and the rest of a long form: bytes without bit 7. */
		while (at < end && !(*at & 128))
			at++;
	}
	return 0;
}
