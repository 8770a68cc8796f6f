/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums up a profile's values by what a reader wants to tell apart. */
#ifndef GROUP_H
#define GROUP_H

#include "profile/own_code.h"
#include "profile/profile.h"

enum group_by {
	GROUP_LINE,	/* file, function and line of the leaf */
	GROUP_FUNCTION, /* file and function of the leaf */
	GROUP_FILE,	/* file of the leaf */
	GROUP_OWN_LINE, /* the innermost line that is not a library's, or what says that there is
			   none */
	GROUP_PROCESS,
	GROUP_PROGRAM, /* processes with the same command line */
};

struct group {
	struct location location;	       /* "" and 0 in what is not told apart */
	const struct profile_process *process; /* one of its processes */
	struct values values;
	struct values change;
	bool through; /* GROUP_OWN_LINE: by way of a library's line */
};

struct groups {
	size_t n;
	struct group *groups;
};

/*
 * Groups one process, or all if process is NULL, in the given order. code, which may be NULL, is
 * for GROUP_OWN_LINE. Returns 0 and groups, which the caller frees with groups__free() and which
 * refer to the profile, or -ENOMEM.
 */
int profile__group(const struct profile *profile, const struct profile_process *process,
		   enum group_by by, enum line_order order, const struct own_code *code,
		   struct groups *groups);
void groups__free(struct groups *groups);

#endif /* GROUP_H */
