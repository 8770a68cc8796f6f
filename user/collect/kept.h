/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of what was allocated in windows: what was made in a window, and still lives when it
 * is some seconds old. Each stands for as many as were made in the time that the window stands for,
 * so the sums are estimates. Frees are seen in windows only; so whether something lives is read
 * from the process's memory, at several looks: what is made and freed again and again at one
 * address would have to be there at each of them.
 */
#ifndef KEPT_H
#define KEPT_H

#include <stdbool.h>

#include "collect/snapshot.h"

struct kept;

/* min_age: seconds. NULL if memory is short. */
struct kept *kept__new(size_t most_sites, double min_age);
void kept__free(struct kept *kept);

/* Something that was made in the window that ends now. Three steps, with the probes still there:
 * what the books have is added; it is looked at; and what the books still have is confirmed. So
 * what was seen at the look is what the site has made. */
struct kept_thing {
	uint64_t address, bytes; /* of a slot: 0, as its pool tells */
	__u32 site, process;
	bool is_slot; /* of a pool of pymalloc; else a block of malloc */
};

/* 0 or -ENOMEM. */
int kept__add(struct kept *kept, const struct kept_thing *thing);
int kept__look_at_new(struct kept *kept, const struct process_counters *processes);
int kept__confirm(struct kept *kept, const struct kept_thing *thing);

/* Tells what a site has allocated so far, in all windows; before the window ends. */
void kept__count(struct kept *kept, __u32 site, uint64_t bytes, uint64_t count, double weight);

/* Ends the window: what was confirmed is looked at from now on. weight: how much more was made in
 * the time that the window stands for; span: that time. 0 or -ENOMEM. */
int kept__end_window(struct kept *kept, double weight, double span);

/* Pools of that size are the process's; 0: it has none that are looked at. */
void kept__meet(struct kept *kept, __u32 process, uint32_t pool_size);
void kept__forget(struct kept *kept, __u32 process);

/* scale: by how much all weights are too small, known better with each window. total: the time that
 * estimates are for, in the unit of the spans: of what has no window, or one whose things are not
 * old enough yet, as much is kept as of the rest. */
void kept__set_scale(struct kept *kept, double scale, double total);

/* Looks at all that is not old enough yet, if it is time. 0 or -ENOMEM. */
int kept__look(struct kept *kept, const struct process_counters *processes);

/* When the next look is due, in CLOCK_MONOTONIC's seconds. */
double kept__due(const struct kept *kept);

/* A site's estimates: allocated, and freed what is not kept. */
struct site_counters kept__site(const struct kept *kept, __u32 site);

/* Whether nothing of the site waits to be old enough, or for the end of its window; count: of all
 * that it has allocated. */
bool kept__is_settled(const struct kept *kept, __u32 site, uint64_t count);
void kept__clear_site(struct kept *kept, __u32 site);

/* Adds the types of what is kept. 0 or -ENOMEM. */
int kept__take_types(const struct kept *kept, struct snapshot *snapshot);

#endif /* KEPT_H */
