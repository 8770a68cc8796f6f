/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of a program's lines are reported: mode lines. */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"

/* Without files: the program's own. */
struct filter {
	const char **functions; /* names, qualified or not */
	size_t nfunctions;
	const char **files; /* patterns of glob(7), of paths or their last part */
	size_t nfiles;
};

/* Leaves a process those of its lines that are in selected files. */
void filter__drop_files(const struct filter *filter, struct profile_process *process);

/*
 * Leaves a process those of its lines that are in selected functions, in that order, once the
 * texts of its files are there. Those that these show to be of one function get its qualified
 * name. The stacks are the lines then. 0 or -ENOMEM.
 */
int filter__apply(const struct filter *filter, struct profile *profile,
		  struct profile_process *process, enum line_order order);

#endif /* FILTER_H */
