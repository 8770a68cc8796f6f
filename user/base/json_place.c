// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "base/json_place.h"

bool json_place__is_key(const struct json_place *place, const char *key)
{
	return !strcmp(place->key, key);
}

int json_place__open(struct json_place *place, const struct json_rule *rules, size_t n, int unknown,
		     bool is_array)
{
	int in = json_place__here(place), begins = unknown;
	size_t i;

	if (place->depth + 1 == JSON_DEEPEST)
		return -1;
	for (i = 0; i < n; i++) {
		if (rules[i].in == in && rules[i].is_array == is_array &&
		    (!rules[i].key || json_place__is_key(place, rules[i].key)))
			begins = rules[i].begins;
	}
	place->places[++place->depth] = begins;
	return begins;
}

int json_place__close(struct json_place *place)
{
	return place->places[place->depth--];
}

void json_place__take_key(struct json_place *place, const unsigned char *key, size_t length)
{
	if (length >= sizeof(place->key))
		length = 0; /* none that is known */
	memcpy(place->key, key, length);
	place->key[length] = '\0';
}
