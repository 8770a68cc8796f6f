/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a reader of JSON is in a file whose shape it knows: in which object or array, and at which
 * member. What it does not know is passed over, as from a later version. */
#ifndef JSON_PLACE_H
#define JSON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Limit of nesting: deeper than any file of ours, so that one cannot ask for more. */
#define JSON_DEEPEST 16

/* Longest name of a member: none that is known is longer. */
#define JSON_LONGEST_NAME 64

/* What begins at a member, by the place that it is in. Places are numbers from 0, the file itself.
 */
struct json_rule {
	int in;
	const char *key; /* NULL: an element of an array */
	bool is_array;
	int begins;
};

/* Starts all zero. */
struct json_place {
	int places[JSON_DEEPEST];
	int depth;
	char key[JSON_LONGEST_NAME];
};

static inline int json_place__here(const struct json_place *place)
{
	return place->places[place->depth];
}

bool json_place__is_key(const struct json_place *place, const char *key);

/* An object or an array begins: by n rules, or unknown. Returns what it is, -1 if it is nested too
 * deeply. */
int json_place__open(struct json_place *place, const struct json_rule *rules, size_t n, int unknown,
		     bool is_array);

/* Returns what ends. */
int json_place__close(struct json_place *place);

void json_place__take_key(struct json_place *place, const unsigned char *key, size_t length);

#endif /* JSON_PLACE_H */
