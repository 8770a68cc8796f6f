/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of addresses, none of them 0: 8 to 16 bytes for each. */
#ifndef ADDRESS_SET_H
#define ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros is an empty set. */
struct address_set {
	uint64_t *slots;
	size_t n, room;	     /* room: a power of two, or 0 */
	uint64_t multiplier; /* odd, and random: a process must not choose what collides */
};

void address_set__free(struct address_set *set);

/* Returns 1 if it was added, 0 if it was there, or -ENOMEM. */
int address_set__add(struct address_set *set, uint64_t address);

bool address_set__has(const struct address_set *set, uint64_t address);

#endif /* ADDRESS_SET_H */
