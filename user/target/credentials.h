/* SPDX-License-Identifier: BSD-2-Clause */
/* With what rights a process opens files, and from which root. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One of the kernel's objects, as stat(2) tells them apart. */
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
 * Reads those of a process, all of the same one even if its id is given to another
 * meanwhile. root receives a descriptor (O_PATH) of its root directory, which the caller
 * closes; NULL where it is not wanted. 0, and the caller calls credentials__done(), or
 * -errno; -ESRCH where the process is gone.
 */
int credentials__read(pid_t pid, struct credentials *credentials, int *root);
void credentials__done(struct credentials *credentials);

bool credentials__equal(const struct credentials *a, const struct credentials *b);

/* Gives the calling process those rights and no others, for good: at most the ones that
 * override a file's permissions, and those only where the process has them over our files
 * too. 0, or -errno where it lacks the rights to. */
int credentials__assume(const struct credentials *credentials);

#endif /* CREDENTIALS_H */
