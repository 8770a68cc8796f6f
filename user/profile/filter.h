/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of a program's lines are reported: mode lines. */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/aggregate.h"
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
 * Leaves a process those of its lines that are in selected functions, in that order. Those
 * that the text of their files shows to be of one function get its qualified name; places
 * has room for as many as there are lines, and lasts as long as they. The stacks are the
 * lines then.
 */
void filter__apply(const struct filter *filter, enum line_order order,
		   struct profile_process *process, struct location *locations);

/* Whether a file is not the program's own, by where distributions, virtual environments and
 * Python itself put modules; so is what is no file. */
bool file__is_library(const char *file);

#endif /* FILTER_H */
