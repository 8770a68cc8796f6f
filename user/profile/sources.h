/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads the text of the files that a profile's lines are in. */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>

#include "profile/process_info.h"
#include "profile/profile.h"

/* Whether files may still be read for a process: asked before each one that was not read yet. */
struct read_permission {
	bool (*may_read)(void *context, const struct process_info *info);
	/* What a running process has itself as the text of a file that cannot be read; NULL:
	 * nothing. */
	struct source_text *(*find_text)(void *context, const struct process_info *info,
					 const char *file);
	void *context;
};

/*
 * Gives a process of a profile the texts of the files of its first top lines, with the functions in
 * them if asked for: texts that its info already has, or that can be read for it. Returns 0 or
 * -ENOMEM.
 */
int sources__load(struct profile *profile, struct profile_process *process,
		  struct process_info *info, const struct read_permission *permission, size_t top,
		  bool functions);

/* Frees the files of an info. */
void known_files__free(struct known_file *files, size_t n);

#endif /* SOURCES_H */
