// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "inspect/dict_keys.h"
#include "inspect/namespace.h"
#include "inspect/text.h"

/* Names are shorter, and files' names mostly. */
#define MOST_CHARACTERS 255

/* What every module, and every class, begins with. */
#define FIRST_ENTRIES 64

/* PyModuleObject: md_dict. */
#define MODULE_DICT 16

void namespace__visit(const struct heap *heap, uint64_t dict, size_t most,
		      bool (*visit)(void *context, const char *key, uint64_t value), void *context)
{
	uint64_t at = memory__word(heap->memory, dict + DICT_KEYS), key, value, i;
	struct dict_keys keys;
	bool more, goes_on = true;
	char *text;

	/* One whose values are elsewhere is no namespace. */
	if (memory__word(heap->memory, dict + DICT_VALUES) ||
	    !dict_keys__read(heap->memory, at, heap->rules.minor, &keys))
		return;
	for (i = 0; goes_on && i < keys.nentries && i < most; i++) {
		if (!dict_keys__entry(heap->memory, &keys, i, &key, &value))
			break;
		text = key && value ? text__read(heap->memory, heap->rules.layout, key,
						 MOST_CHARACTERS, &more)
				    : NULL;
		if (text)
			goes_on = visit(context, text, value);
		free(text);
	}
}

struct search {
	const char *key;
	uint64_t value;
};

static bool is_wanted(void *context, const char *key, uint64_t value)
{
	struct search *search = context;

	if (strcmp(key, search->key) != 0)
		return true;
	search->value = value;
	return false;
}

uint64_t namespace__find(const struct heap *heap, uint64_t dict, size_t most, const char *key)
{
	struct search search = {key, 0};

	if (dict)
		namespace__visit(heap, dict, most, is_wanted, &search);
	return search.value;
}

uint64_t namespace__value(const struct heap *heap, uint64_t dict, const char *key)
{
	return namespace__find(heap, dict, FIRST_ENTRIES, key);
}

uint64_t module__dict(const struct heap *heap, uint64_t module)
{
	return memory__word(heap->memory, module + MODULE_DICT);
}
