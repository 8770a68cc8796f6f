// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/saved.h"
#include "inspect/saved.h"
#include "profile/load.h"

static int load(FILE *file, const char *path, struct saved *saved)
{
	struct json_source source;
	const char *what = "profile that record -f json has saved";
	char why[160];
	int err;

	json_source__open(&source, file);
	if (json_source__mentions(&source, "\"pymemtop.objects/")) {
		what = "file that inspect -f json has saved";
		err = inspected__load(&source, &saved->all, &saved->n, why, sizeof(why));
	} else {
		err = profile__load(&source, &saved->profile, why, sizeof(why));
	}
	if (err == -EINVAL)
		log_error("%s is no %s: %s", path, what, why);
	else if (err)
		log_error("%s cannot be read: %s", path, strerror(-err));
	return err;
}

int saved__load(const char *path, struct saved *saved)
{
	bool is_stdin = !strcmp(path, "-");
	auto_fclose FILE *file = is_stdin ? NULL : fopen(path, "re");
	int err;

	if (!is_stdin && !file) {
		err = -errno;
		log_error("%s cannot be opened: %s", path, strerror(-err));
		return err;
	}
	return load(is_stdin ? stdin : file, path, saved);
}

void saved__clear(struct saved *saved)
{
	size_t i;

	for (i = 0; i < saved->n; i++)
		inspected__clear(&saved->all[i]);
	free(saved->all);
	profile__free(saved->profile);
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
