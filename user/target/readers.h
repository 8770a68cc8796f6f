/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads files by names that targets choose. A name can be anything, and root could read anything,
 * so a helper process opens each file. It has only the rights, and the root directory, that a
 * target had when it was first looked at. A file system that never answers holds up the helper, not
 * us.
 */
#ifndef READERS_H
#define READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct reader;
struct readers;

/* NULL if memory is short. */
struct readers *readers__new(void);

/* Ends all helpers. NULL is allowed. */
void readers__free(struct readers *readers);

/*
 * The helper with the rights that the process has now; processes with the same rights share one.
 * Call this before opening anything that a helper must not inherit, except descriptors, which it
 * closes. 0 and the reader, which readers owns, or -errno: -EPERM if we lack the rights to give it
 * those of the process.
 */
int readers__find(struct readers *readers, pid_t pid, struct reader **reader);

/* Whether the process with that id still has the reader's rights and root. */
bool reader__fits(const struct reader *reader, pid_t pid);

/* Whether it has the rights of that user and group, with those capabilities. */
bool reader__is_of(const struct reader *reader, uid_t uid, gid_t gid, uint64_t capabilities);

/*
 * Reads a whole regular file below the reader's root, which no link can leave: malloc'ed, size
 * bytes and a NUL; changed: when it, or its entry, was last changed, in seconds since 1970. NULL
 * with errno: EFBIG if it is larger than any source; ETIMEDOUT if it takes too long, after which
 * the reader reads nothing more.
 */
char *reader__read(struct reader *reader, const char *path, size_t *size, double *changed);

#endif /* READERS_H */
