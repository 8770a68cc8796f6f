/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells a file from others, and from earlier versions of itself. */
#ifndef FILE_ID_H
#define FILE_ID_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct file_id {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Fills in id for the file open at fd. 0 or -errno. */
int file_id__of(int fd, struct file_id *id);

bool file_id__equals(const struct file_id *a, const struct file_id *b);

#endif /* FILE_ID_H */
