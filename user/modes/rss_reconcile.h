/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects the record of resident pages (bpf/pages.bpf.h) by what the kernel says is resident:
 * drops pages that left unseen, tells which are of shared mappings, and finds owners for pages that
 * became resident without a fault of their own (the rest of a huge page).
 */
#ifndef RSS_RECONCILE_H
#define RSS_RECONCILE_H

#include <bpf/libbpf.h>

#include "collect/counters.h"

struct reconciler;

/*
 * correction: where the program pymemtop_pages reads what to do. sample: faults record one new page
 * in so many. All arguments outlive the reconciler. Returns NULL if out of memory.
 */
struct reconciler *reconciler__new(const struct bpf_object *object,
				   struct page_correction *correction,
				   const struct counters *counters, unsigned int sample);
void reconciler__free(struct reconciler *reconciler);

/* Looks at new processes for the first time, as soon as they are there: what they have by then is
 * from before. Returns 0 or -errno. */
int reconciler__meet(struct reconciler *reconciler);

/* Goes on looking at all processes, for that many seconds at most. Returns 0 or -errno. */
int reconciler__look(struct reconciler *reconciler, double seconds);

/* Whether the process's pages can be looked at. */
bool reconciler__can_look(const struct reconciler *reconciler, size_t id);

/* What of shared mappings was resident at the last look: bytes. */
uint64_t reconciler__shared_bytes(const struct reconciler *reconciler, size_t id);

/* The id is going to be another process's. */
void reconciler__forget(struct reconciler *reconciler, __u32 id);

#endif /* RSS_RECONCILE_H */
