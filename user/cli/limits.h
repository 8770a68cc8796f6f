/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not be exceeded, as --fail-if has it: "held > 100MiB", "growth > 1MiB/min". */
#ifndef LIMITS_H
#define LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"

enum limited {
	LIMITED_HELD,	/* outstanding or resident, by all lines together: bytes */
	LIMITED_GROWTH, /* the same, since the attach: bytes a second */
	LIMITED_PEAK,	/* the most that there was: bytes; with --peak */
	LIMITED_RSS,	/* resident set size at the end: bytes */
	LIMITED_LOST,	/* events: a number */
};

struct limit {
	enum limited what;
	double most;
	const char *text; /* as given */
};

/* 0 or -EINVAL. The text outlives the limit. */
int limit__parse(const char *text, struct limit *limit);

/* Says, to stderr, which of n limits a profile exceeds, and by which lines. Returns whether it
 * does. */
bool limits__are_exceeded(const struct limit *limits, size_t n, const struct profile *profile);

#endif /* LIMITS_H */
