// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "target/candidates.h"
#include "target/target.h"

/* Candidates at one time. A host that starts more within a second has other troubles. */
#define MOST 1024

/* When to look at a candidate, in seconds after its exec. After the last look, it is no Python. */
static const double looks[] = {0.005, 0.02, 0.05, 0.15, 0.5, 2};

#define LOOKS (sizeof(looks) / sizeof(looks[0]))

struct waiting {
	struct candidate of;
	double begin;
	size_t looks; /* so far */
};

struct candidates {
	struct images *images;
	struct waiting all[MOST];
	size_t n;
};

struct candidates *candidates__new(struct images *images)
{
	struct candidates *candidates = calloc(1, sizeof(*candidates));

	if (candidates)
		candidates->images = images;
	return candidates;
}

void candidates__free(struct candidates *candidates)
{
	free(candidates);
}

static void drop(struct candidates *candidates, struct waiting *waiting)
{
	*waiting = candidates->all[--candidates->n];
}

bool candidates__add(struct candidates *candidates, const struct candidate *candidate)
{
	size_t i;

	/* This exec replaces an earlier one of the same process. */
	for (i = 0; i < candidates->n && candidates->all[i].of.pid != candidate->pid; i++)
		;
	if (i == MOST)
		return false;
	candidates->all[i] = (struct waiting){*candidate, clock_seconds(CLOCK_MONOTONIC), 0};
	candidates->n += i == candidates->n;
	return true;
}

bool candidates__take(struct candidates *candidates, struct candidate *candidate)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	struct waiting *waiting;
	size_t i = 0;

	while (i < candidates->n) {
		waiting = &candidates->all[i];
		if (now < waiting->begin + looks[waiting->looks]) {
			i++;
			continue;
		}
		if (target__is_python(waiting->of.pid, candidates->images, true)) {
			*candidate = waiting->of;
			drop(candidates, waiting);
			return true;
		}
		if (++waiting->looks == LOOKS)
			drop(candidates, waiting);
		else
			i++;
	}
	return false;
}

double candidates__due(const struct candidates *candidates)
{
	double now = clock_seconds(CLOCK_MONOTONIC), due = HUGE_VAL;
	const struct waiting *waiting;
	size_t i;

	for (i = 0; i < candidates->n; i++) {
		waiting = &candidates->all[i];
		due = fmin(due, waiting->begin + looks[waiting->looks] - now);
	}
	return fmax(due, 0);
}
