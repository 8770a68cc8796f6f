/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of targets' source files. */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whose files they are, and how they are reached. */
struct source_owner {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	bool same_root;		/* it sees the same files as we do: also once it is gone */
	char cwd[4096];
};

/* Fills in what is known of a living process. 0 or -errno. */
int source_owner__init(struct source_owner *owner, pid_t pid);

struct source_text {
	size_t nlines;
	char **lines;	/* fit to be printed */
};

/*
 * Reads a file by the name that the target has for it, with the target's own
 * rights: the name is the target's to choose, and root could read anything. NULL
 * where it cannot be read, is no regular file, or is larger than any source.
 */
struct source_text *source_text__new(const struct source_owner *owner, const char *name);
void source_text__free(struct source_text *text);

#endif /* SOURCES_H */
