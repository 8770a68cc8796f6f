// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "target/credentials.h"

/* The capabilities(7) that reading a file can need. */
#define FILE_CAPABILITIES (1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH)

static int identify(int directory, const char *name, struct file_id *id)
{
	struct stat st;

	if (fstatat(directory, name, &st, 0))
		return -errno;
	*id = (struct file_id){st.st_dev, st.st_ino};
	return 0;
}

/* The numbers after "Groups:". */
static int parse_groups(const char *list, struct credentials *credentials)
{
	gid_t *groups = malloc((strlen(list) + 1) * sizeof(*groups)); /* more than needed */
	int length;

	if (!groups)
		return -ENOMEM;
	credentials->groups = groups;
	while (sscanf(list, "%u%n", &groups[credentials->ngroups], &length) == 1) {
		credentials->ngroups++;
		list += length;
	}
	return 0;
}

/* Parses one line of /proc/PID/status. Returns the number of items found, or -errno. */
static int parse_status(const char *line, struct credentials *credentials)
{
	uid_t *uid = credentials->uid;
	gid_t *gid = credentials->gid;

	if (sscanf(line, "Uid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4 ||
	    sscanf(line, "Gid: %u %u %u %u", &gid[0], &gid[1], &gid[2], &gid[3]) == 4 ||
	    sscanf(line, "CapEff: %" SCNx64, &credentials->capabilities) == 1)
		return 1;
	if (strncmp(line, "Groups:", 7))
		return 0;
	return parse_groups(line + 7, credentials) ?: 1;
}

static int read_status(int directory, struct credentials *credentials)
{
	int fd = openat(directory, "status", O_RDONLY | O_CLOEXEC), found = 0, got = 0;
	FILE *status = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	if (!status) {
		got = -errno;
		if (fd >= 0)
			close(fd);
		return got;
	}
	while (got >= 0 && getline(&line, &size, status) > 0) {
		got = parse_status(line, credentials);
		found += got;
	}
	free(line);
	fclose(status);
	return got < 0 ? got : found == 4 ? 0 : -ESRCH;
}

int credentials__read(pid_t pid, struct credentials *credentials, int *root)
{
	int directory, err;
	char path[32];

	memset(credentials, 0, sizeof(*credentials));
	snprintf(path, sizeof(path), "/proc/%d", pid);
	/* It stays this process's: once that is gone, nothing below it opens (ESRCH). */
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_status(directory, credentials);
	if (!err)
		err = identify(directory, "ns/user", &credentials->user_namespace);
	if (!err)
		err = identify(directory, "ns/mnt", &credentials->mount_namespace);
	if (!err)
		err = identify(directory, "root", &credentials->root);
	if (!err && root) {
		*root = openat(directory, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = *root < 0 ? -errno : 0;
	}
	close(directory);
	if (err)
		credentials__done(credentials);
	return err == -ENOENT ? -ESRCH : err;
}

void credentials__done(struct credentials *credentials)
{
	free(credentials->groups);
	credentials->groups = NULL;
}

static bool same_file(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode;
}

bool credentials__equal(const struct credentials *a, const struct credentials *b)
{
	return !memcmp(a->uid, b->uid, sizeof(a->uid)) && !memcmp(a->gid, b->gid, sizeof(a->gid)) &&
	       a->capabilities == b->capabilities && a->ngroups == b->ngroups &&
	       !memcmp(a->groups, b->groups, a->ngroups * sizeof(*a->groups)) &&
	       same_file(&a->user_namespace, &b->user_namespace) &&
	       same_file(&a->mount_namespace, &b->mount_namespace) && same_file(&a->root, &b->root);
}

static bool is_whole_user(const struct credentials *credentials)
{
	uid_t uid[3];
	gid_t gid[3];
	int i;

	if (getresuid(&uid[0], &uid[1], &uid[2]) || getresgid(&gid[0], &gid[1], &gid[2]))
		return false;
	for (i = 0; i < 3; i++) {
		if (uid[i] != credentials->uid[3] || gid[i] != credentials->gid[3])
			return false;
	}
	return true;
}

/* Whether the calling process has exactly those groups, in any order. */
static bool has_groups(const struct credentials *credentials)
{
	int n = getgroups(0, NULL);
	gid_t *groups = n < 0 ? NULL : calloc(n + 1, sizeof(*groups));
	bool same;

	/* The kernel keeps them sorted. */
	same = groups && (size_t)n == credentials->ngroups && getgroups(n, groups) == n &&
	       !memcmp(groups, credentials->groups, n * sizeof(*groups));
	free(groups);
	return same;
}

static int keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = kept, .permitted = kept},
		{.effective = kept >> 32, .permitted = kept >> 32},
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int credentials__assume(const struct credentials *credentials)
{
	uid_t uid = credentials->uid[3];
	gid_t gid = credentials->gid[3];
	struct file_id ours = {0};
	uint64_t kept;
	int err = identify(AT_FDCWD, "/proc/self/ns/user", &ours);

	if (err)
		return err;
	/* In another user namespace, they only apply to that one's files. */
	kept = same_file(&ours, &credentials->user_namespace) && !uid
		       ? credentials->capabilities & FILE_CAPABILITIES
		       : 0;
	if (!has_groups(credentials) && setgroups(credentials->ngroups, credentials->groups))
		return -errno;
	if (!is_whole_user(credentials) && (setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		return -errno;
	err = keep_capabilities(kept);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	return err ? err : is_whole_user(credentials) && has_groups(credentials) ? 0 : -EPERM;
}
