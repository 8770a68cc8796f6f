/* SPDX-License-Identifier: BSD-2-Clause */
/* What differs between two profiles. */
#ifndef DIFF_H
#define DIFF_H

#include "profile/group.h"
#include "profile/profile.h"

struct difference {
	struct location location; /* as in struct group */
	const char *program;	  /* GROUP_PROGRAM: its command line */
	struct values before, now;
	struct values change;
	bool is_new, is_gone; /* only the one profile has it, or the other */
};

struct differences {
	size_t n;
	struct difference *of;
};

/* Whether two profiles count the same: else why, which has size bytes, says what differs. */
bool profiles__compare(const struct profile *before, const struct profile *now, char *why,
		       size_t size);

/*
 * Finds what differs, of all processes together, the largest increment first. What has not changed
 * is left out. Returns 0 and differences, which the caller frees with differences__free() and which
 * refer to both profiles, or -ENOMEM. The profiles must compare.
 */
int profile__diff(const struct profile *before, const struct profile *now, enum group_by by,
		  const struct own_code *code, struct differences *differences);
void differences__free(struct differences *differences);

#endif /* DIFF_H */
