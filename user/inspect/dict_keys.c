// SPDX-License-Identifier: BSD-2-Clause
#include "inspect/dict_keys.h"

/* Nothing is larger. */
#define MOST_ENTRIES (1ULL << 46)

/* With a hash, a key and a value, or a key that is a str, and a value. */
#define WIDE_ENTRY   24
#define NARROW_ENTRY 16

static bool read_old(struct memory *memory, uint64_t address, struct dict_keys *keys)
{
	/* dk_refcnt, dk_size, dk_lookup, dk_usable, dk_nentries */
	uint64_t words[5], size, index, usable;

	if (!memory__read(memory, address, words, sizeof(words)))
		return false;
	size = words[1];
	if (!size || size & (size - 1) || size > MOST_ENTRIES)
		return false;
	index = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
	usable = (size << 1) / 3;
	*keys = (struct dict_keys){
		.references = words[0],
		.values = usable,
		.bytes = sizeof(words) + index * size + WIDE_ENTRY * usable,
		.entries = address + sizeof(words) + index * size,
		.nentries = words[4],
		.entry = WIDE_ENTRY,
	};
	return words[4] <= usable;
}

static bool read_new(struct memory *memory, uint64_t address, unsigned int minor,
		     struct dict_keys *keys)
{
	struct {
		uint64_t references;
		uint8_t log2_size, log2_index_bytes, kind, unused;
		uint32_t version;
		uint64_t usable, used;
	} head;
	uint64_t entries;

	if (!memory__read(memory, address, &head, sizeof(head)) || head.log2_size > 40 ||
	    head.log2_index_bytes > 44 || head.kind > 2)
		return false;
	entries = (2ULL << head.log2_size) / 3;
	*keys = (struct dict_keys){
		.references = head.references,
		.values = minor == 11 ? entries : head.usable + head.used,
		.shared = head.usable + head.used, /* shared_keys_usable_size() */
		.bytes = sizeof(head) + (1ULL << head.log2_index_bytes) +
			 (head.kind ? NARROW_ENTRY : WIDE_ENTRY) * entries,
		.entries = address + sizeof(head) + (1ULL << head.log2_index_bytes),
		.nentries = head.used < entries ? head.used : entries,
		.entry = head.kind ? NARROW_ENTRY : WIDE_ENTRY,
	};
	return true;
}

bool dict_keys__read(struct memory *memory, uint64_t address, unsigned int minor,
		     struct dict_keys *keys)
{
	return minor < 11 ? read_old(memory, address, keys)
			  : read_new(memory, address, minor, keys);
}

bool dict_keys__entry(struct memory *memory, const struct dict_keys *keys, uint64_t i,
		      uint64_t *key, uint64_t *value)
{
	uint64_t words[2];

	if (!memory__read(memory, keys->entries + keys->entry * (i + 1) - sizeof(words), words,
			  sizeof(words)))
		return false;
	*key = words[0];
	*value = words[1];
	return true;
}
