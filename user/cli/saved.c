// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/saved.h"
#include "profile/load.h"

int saved__load(const char *path, struct profile **profile)
{
	bool is_stdin = !strcmp(path, "-");
	auto_fclose FILE *file = is_stdin ? NULL : fopen(path, "re");
	char why[160];
	int err;

	if (!is_stdin && !file) {
		err = -errno;
		log_error("%s cannot be opened: %s", path, strerror(-err));
		return err;
	}
	err = profile__load(is_stdin ? stdin : file, profile, why, sizeof(why));
	if (err == -EINVAL)
		log_error("%s is no profile that record -f json has saved: %s", path, why);
	else if (err)
		log_error("%s cannot be read: %s", path, strerror(-err));
	return err;
}

int saved__parse(struct options *options, int key, char *arg, struct argp_state *state, size_t most)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (options->nfiles == most)
			return usage_error("%s: that is a file too many", arg);
		options->files[options->nfiles++] = arg;
		return 0;
	case ARGP_KEY_INIT:
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}
