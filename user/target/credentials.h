/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's rights for opening files, and its root directory. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A kernel object, as stat(2) identifies it. */
struct file_id {
	dev_t device;
	ino_t inode;
};

struct credentials {
	uid_t uid[4]; /* real, effective, saved, file system (proc(5)) */
	gid_t gid[4];
	uint64_t capabilities; /* effective ones, in its own user namespace */
	size_t ngroups;
	gid_t *groups; /* supplementary; owned */
	struct file_id user_namespace;
	struct file_id mount_namespace;
	struct file_id root;
};

/*
 * Reads a process's credentials, all of the same process even if its id is reused meanwhile. root
 * receives a descriptor (O_PATH) of its root directory, which the caller closes; NULL if it is not
 * wanted. 0, and the caller calls credentials__done(), or -errno; -ESRCH if the process is gone.
 */
int credentials__read(pid_t pid, struct credentials *credentials, int *root);
void credentials__done(struct credentials *credentials);

bool credentials__equal(const struct credentials *a, const struct credentials *b);

/* Gives the calling process those rights and no others, for good. Of the capabilities, it keeps at
 * most those that override a file's permissions, and only if the process has them over our files
 * too. 0, or -errno if we lack the rights to do so. */
int credentials__assume(const struct credentials *credentials);

#endif /* CREDENTIALS_H */
