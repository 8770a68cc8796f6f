/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects the books of resident pages (bpf/pages.bpf.h) by what is really resident: takes
 * off what left unseen, and finds owners for what the kernel made resident without a fault
 * of its own (huge pages, MAP_POPULATE, mlock()).
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <bpf/libbpf.h>

#include "books.h"

struct judge;

/*
 * correction is where the program correct reads what to do, sample what its faults are
 * sampled by. All outlive the judge. NULL where memory is short.
 */
struct judge *judge__new(const struct bpf_object *object, struct page_correction *correction,
			 const struct books *books, unsigned int sample);
void judge__free(struct judge *judge);

/* Looks at processes for the first time, as soon as they are there: what they have by now
 * is from before. 0 or -errno. */
int judge__meet(struct judge *judge);

/* Goes on looking at all processes, for that many seconds at most. 0 or -errno. */
int judge__look(struct judge *judge, double seconds);

/* Whether the process's pages can be looked at. */
bool judge__can_look(const struct judge *judge, size_t id);

#endif /* JUDGE_H */
