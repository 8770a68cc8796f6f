/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of keys that a dict has, or that dicts of a type share: struct _dictkeysobject of
 * Objects/dict-common.h (3.8 to 3.10), Include/internal/pycore_dict.h (since 3.11). */
#ifndef DICT_KEYS_H
#define DICT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "inspect/memory.h"

/* PyDictObject: ma_keys, ma_values. */
#define DICT_KEYS   32
#define DICT_VALUES 40

struct dict_keys {
	uint64_t references;
	uint64_t values;  /* slots that a table of values beside shared keys is said to have */
	uint64_t shared;  /* ... that it has, where instances share the keys: since 3.11 */
	uint64_t bytes;	  /* of all of it */
	uint64_t entries; /* address of the first */
	uint64_t nentries;
	uint64_t entry; /* bytes of each: a hash if it has room for one, a key, and a value */
};

/* Returns false if there is none at that address. minor: of the version. */
bool dict_keys__read(struct memory *memory, uint64_t address, unsigned int minor,
		     struct dict_keys *keys);

/* Reads the address of a key; and of its value if that is beside it, in keys that are not shared.
 * 0: none. */
bool dict_keys__entry(struct memory *memory, const struct dict_keys *keys, uint64_t i,
		      uint64_t *key, uint64_t *value);

#endif /* DICT_KEYS_H */
