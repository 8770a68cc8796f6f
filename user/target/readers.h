/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads files by names that targets choose. A name can be anything, and root could read
 * anything: so each file is opened by a helper process that has the rights, and the root
 * directory, that a target had when it was first looked at, and no others. A file system
 * that never answers holds up the helper, not us.
 */
#ifndef READERS_H
#define READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct reader;
struct readers;

/* NULL where memory is short. */
struct readers *readers__new(void);

/* Ends all helpers. NULL is allowed. */
void readers__free(struct readers *readers);

/*
 * The helper with the rights that the process has now; processes with the same rights
 * share one. To be called before anything is open that a helper must not inherit but by
 * descriptors, which it closes. 0 and the reader, which readers owns, or -errno: -EPERM
 * where we lack the rights to give it those of the process.
 */
int readers__find(struct readers *readers, pid_t pid, struct reader **reader);

/* Whether the process that has that id now has the reader's rights and root. */
bool reader__fits(const struct reader *reader, pid_t pid);

/* Whether its rights are those of that user and group, with those capabilities. */
bool reader__is_of(const struct reader *reader, uid_t uid, gid_t gid, uint64_t capabilities);

/*
 * All of a regular file below the reader's root, where no link leads out: malloc'ed, size
 * bytes and a NUL. NULL with errno: -EFBIG for what is larger than any source, -ETIMEDOUT
 * where it takes too long; from then on the reader reads nothing more.
 */
char *reader__read(struct reader *reader, const char *path, size_t *size);

#endif /* READERS_H */
