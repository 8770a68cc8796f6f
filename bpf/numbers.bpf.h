/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Hands out the numbers of processes, sites and mappings. */
#ifndef NUMBERS_BPF_H
#define NUMBERS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/*
 * Process ids and sites come from queues that user space fills: first with 1 and up, later with
 * numbers that it has freed, once their counts are folded.
 */
static __always_inline __u32 number__take(void *free)
{
	__u32 number = 0;

	return bpf_map_pop_elem(free, &number) ? 0 : number;
}

/* Returns an unused number to the queue. */
static __always_inline void number__give_back(void *free, __u32 number)
{
	bpf_map_push_elem(free, &number, 0);
}

/* How many numbers to try while others take them too. */
#define CLAIM_TRIES 16

/*
 * Takes the next free number below the limit; 0 if there is none, as 0 is never handed out. Kernels
 * before 5.12 have no fetching atomics, so the atomic claim is to add the number to the hash of
 * taken ones with BPF_NOEXIST.
 */
static __always_inline __u32 claim_number(void *taken, const void *value, __u32 *next, __u32 limit)
{
	__u32 number = *(volatile __u32 *)next;
	int i;

	for (i = 0; i < CLAIM_TRIES && number < limit; i++, number++) {
		if (number && !bpf_map_update_elem(taken, &number, value, BPF_NOEXIST)) {
			__sync_fetch_and_add(next, 1);
			return number;
		}
	}
	return 0;
}

#endif /* NUMBERS_BPF_H */
