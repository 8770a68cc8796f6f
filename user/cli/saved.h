/* SPDX-License-Identifier: BSD-2-Clause */
/* What record or inspect has saved as json, as commands take it. */
#ifndef SAVED_H
#define SAVED_H

#include "cli/options.h"
#include "inspect/inspected.h"
#include "profile/profile.h"

/* Either of them. */
struct saved {
	struct profile *profile; /* NULL: the file is inspect's */
	struct inspected *all;
	size_t n;
};

/* Loads a file, "-" being stdin. 0, and the caller calls saved__clear(), or -errno, having said
 * why. */
int saved__load(const char *path, struct saved *saved);
void saved__clear(struct saved *saved);

/* For a command's argp parser: takes the files that it is given, most of them at most; and its
 * children. */
int saved__parse(struct options *options, int key, char *arg, struct argp_state *state,
		 size_t most);

#endif /* SAVED_H */
