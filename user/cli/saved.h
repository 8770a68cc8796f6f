/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles that were saved with record -f json, as commands take them. */
#ifndef SAVED_H
#define SAVED_H

#include "cli/options.h"
#include "profile/profile.h"

/* Loads a file, "-" being stdin. 0 and the profile, which the caller frees, or -errno, having said
 * why. */
int saved__load(const char *path, struct profile **profile);

/* For a command's argp parser: takes the files that it is given, most of them at most; and its
 * children. */
int saved__parse(struct options *options, int key, char *arg, struct argp_state *state,
		 size_t most);

#endif /* SAVED_H */
