/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of a program mode lines reports. */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/own_code.h"
#include "profile/profile.h"

/* Without files, the program's own are selected. */
struct filter {
	const char **functions; /* names, qualified or not */
	size_t nfunctions;
	const char **files; /* glob(7) patterns, for paths or their last part */
	size_t nfiles;
	struct own_code code;
};

/* Keeps the lines of a process that are in selected files. */
void filter__drop_files(const struct filter *filter, struct profile_process *process);

/*
 * Keeps the lines of a process that are in selected functions, in the given order, once the texts
 * of its files are loaded. Lines that the texts show to be in one function get its qualified name.
 * Where lines have a sum, they become the stacks. Returns 0 or -ENOMEM.
 */
int filter__apply(const struct filter *filter, struct profile *profile,
		  struct profile_process *process, enum line_order order);

#endif /* FILTER_H */
