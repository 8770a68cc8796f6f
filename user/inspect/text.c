// SPDX-License-Identifier: BSD-2-Clause
#include "base/utf8.h"
#include "inspect/text.h"

#define MOST_CHARACTERS 256

char *text__read(struct memory *memory, const struct py_layout *layout, uint64_t address,
		 size_t most, bool *more)
{
	uint8_t characters[4 * MOST_CHARACTERS];
	uint64_t length, data;
	unsigned int kind;
	uint32_t state;

	if (!memory__read(memory, address + layout->str_state, &state, sizeof(state)) ||
	    !memory__read(memory, address + layout->str_length, &length, sizeof(length)))
		return NULL;
	kind = state >> layout->str_kind_shift & 7;
	if (kind != 1 && kind != 2 && kind != 4)
		return NULL;
	most = most < MOST_CHARACTERS ? most : MOST_CHARACTERS;
	*more = length > most;
	length = *more ? most : length;
	if (!(state >> layout->str_compact_shift & 1)) {
		if (!memory__read(memory, address + layout->str_compact_data, &data, sizeof(data)))
			return NULL;
	} else {
		data = address + (state >> layout->str_ascii_shift & 1 ? layout->str_ascii_data
								       : layout->str_compact_data);
	}
	if (!memory__read(memory, data, characters, length * kind))
		return NULL;
	return utf8_from_str(characters, length * kind, kind);
}
