// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "inspect/address_set.h"

#define LEAST 1024

void address_set__free(struct address_set *set)
{
	free(set->slots);
	*set = (struct address_set){0};
}

/* The slot that has the address, or the free one where it would be. */
static uint64_t *find(const struct address_set *set, uint64_t address)
{
	size_t i = address * set->multiplier >> 20;

	while (set->slots[i & (set->room - 1)] && set->slots[i & (set->room - 1)] != address)
		i++;
	return &set->slots[i & (set->room - 1)];
}

static int grow(struct address_set *set)
{
	struct address_set larger = {.n = set->n,
				     .room = set->room ? 2 * set->room : LEAST,
				     .multiplier = set->multiplier};
	size_t i;

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	if (!larger.multiplier && getrandom(&larger.multiplier, sizeof(larger.multiplier), 0) < 0)
		larger.multiplier = 0x9fb21c651e98df25ULL;
	larger.multiplier |= 1;
	for (i = 0; i < set->room; i++) {
		if (set->slots[i])
			*find(&larger, set->slots[i]) = set->slots[i];
	}
	free(set->slots);
	*set = larger;
	return 0;
}

int address_set__add(struct address_set *set, uint64_t address)
{
	uint64_t *slot;

	/* At most three quarters are taken. */
	if (set->n >= set->room / 4 * 3 && grow(set))
		return -ENOMEM;
	slot = find(set, address);
	if (*slot)
		return 0;
	*slot = address;
	set->n++;
	return 1;
}

bool address_set__has(const struct address_set *set, uint64_t address)
{
	return set->room && *find(set, address);
}
