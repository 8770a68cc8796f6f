// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "probes/probe_table.h"

/* With 20 probes, five of six multipliers are free of collisions; with 60, one of
 * six. */
#define TRIES 100000

/* Tries odd multiples of the golden ratio (any odd number would do). fill makes the table with the
 * current one; it returns false if two of the n entries collide. 0 or -E2BIG. */
static int try_multipliers(bool (*fill)(const void *entries, size_t n, void *table),
			   const void *entries, size_t n, void *table, __u64 *multiplier)
{
	int i;

	*multiplier = 0x9e3779b97f4a7c15ULL;
	for (i = 0; i < TRIES; i++) {
		if (fill(entries, n, table))
			return 0;
		*multiplier += 2 * 0x9e3779b97f4a7c15ULL;
	}
	return -E2BIG;
}

static bool fill_probes(const void *entries, size_t n, void *into)
{
	const struct probe_entry *probes = entries;
	struct probe_slots *table = into;
	__u64 taken[PROBE_SLOTS] = {0};
	size_t i, slot;

	memset(table->kind, PROBE_NONE, sizeof(table->kind));
	memset(table->marker, 0, sizeof(table->marker));
	for (i = 0; i < n; i++) {
		slot = PROBE_SLOT(probes[i].address, table->multiplier);
		if (taken[slot] && taken[slot] != probes[i].address)
			return false;
		taken[slot] = probes[i].address;
		table->kind[slot] = probes[i].kind;
		table->marker[slot] = probes[i].marker;
	}
	return true;
}

int probe_table__make(const struct probe_entry *probes, size_t n, struct probe_slots *slots)
{
	return try_multipliers(fill_probes, probes, n, slots, &slots->multiplier);
}

static bool fill_pools(const void *entries, size_t n, void *into)
{
	const struct pool_entry *pools = entries;
	struct pool_table *table = into;
	size_t i, slot;

	memset(table->place, 0, sizeof(table->place));
	for (i = 0; i < n; i++) {
		slot = POOL_SLOT(pools[i].address, table->multiplier);
		if (table->place[slot] & POOL_TAKEN)
			return false;
		table->place[slot] = pools[i].place | POOL_TAKEN;
	}
	return true;
}

int pool_table__make(const struct pool_entry *entries, size_t n, struct pool_table *table)
{
	return try_multipliers(fill_pools, entries, n, table, &table->multiplier);
}
