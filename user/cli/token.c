// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/token.h"

int token__read(const char *path, char **token)
{
	auto_fclose FILE *file = fopen(path, "re");
	size_t room = 0;
	struct stat st;

	*token = NULL;
	if (!file || fstat(fileno(file), &st)) {
		log_error("--token-file %s: %s", path, strerror(errno));
		return -EINVAL;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		log_error("--token-file %s: others may read it; chmod 600 it", path);
		return -EPERM;
	}
	if (getline(token, &room, file) > 0) {
		(*token)[strcspn(*token, "\r\n")] = '\0';
		if (strlen(*token) >= 16)
			return 0;
	}
	free(*token);
	*token = NULL;
	log_error("--token-file %s: a token has at least 16 characters", path);
	return -EINVAL;
}
