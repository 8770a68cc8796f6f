// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mounts.h"

enum mount_kind {
	MOUNT_NONE, /* none is there */
	MOUNT_KERNEL,
	MOUNT_FUSE_OF_ROOT, /* in some user namespace */
	MOUNT_FUSE,
};

/* A line's kind: "36 35 98:0 /a /b rw,noatime master:1 - ext4 /dev/root rw,errors=continue". */
static enum mount_kind kind_of(const char *line)
{
	const char *type = strstr(line, " - ");

	if (!type || strncmp(type + 3, "fuse", 4))
		return MOUNT_KERNEL;
	return strstr(type, "user_id=0,") ? MOUNT_FUSE_OF_ROOT : MOUNT_FUSE;
}

static enum mount_kind find(const char *path, unsigned int dev_major, unsigned int dev_minor)
{
	auto_fclose FILE *mounts = fopen(path, "re");
	unsigned int found_major, found_minor;
	char line[8192];

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*d %*d %u:%u", &found_major, &found_minor) == 2 &&
		    found_major == dev_major && found_minor == dev_minor)
			return kind_of(line);
	}
	return MOUNT_NONE;
}

/* Where memfd_create() and shared memory have their files. */
static bool is_memory(unsigned int dev_major, unsigned int dev_minor)
{
	int fd = memfd_create("pymemtop", MFD_CLOEXEC);
	struct stat st;
	bool is = fd >= 0 && !fstat(fd, &st) && major(st.st_dev) == dev_major &&
		  minor(st.st_dev) == dev_minor;

	if (fd >= 0)
		close(fd);
	return is;
}

bool mounts__may_read(pid_t pid, unsigned int dev_major, unsigned int dev_minor)
{
	enum mount_kind kind;
	char path[64];

	/* A disk's; fuseblk has the disk's, and takes root to mount. */
	if (dev_major)
		return true;
	kind = find("/proc/self/mountinfo", 0, dev_minor);
	if (kind != MOUNT_NONE)
		return kind != MOUNT_FUSE;
	if (is_memory(dev_major, dev_minor))
		return true;
	/* In its own user namespace anybody is root. */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	return find(path, 0, dev_minor) == MOUNT_KERNEL;
}
