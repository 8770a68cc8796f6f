// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "procfs.h"
#include "sources.h"
#include "utf8.h"

#define LARGEST_SOURCE (16 << 20)

/* Whether both links of /proc lead to the same. */
static bool same_link(pid_t pid, const char *name)
{
	char theirs[64], ours[64];
	struct stat a, b;

	snprintf(theirs, sizeof(theirs), "/proc/%d/%s", pid, name);
	snprintf(ours, sizeof(ours), "/proc/self/%s", name);
	return !stat(theirs, &a) && !stat(ours, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int source_owner__init(struct source_owner *owner, pid_t pid)
{
	char path[64];
	ssize_t length;
	int err;

	memset(owner, 0, sizeof(*owner));
	owner->pid = pid;
	owner->uid = owner->gid = -1;
	err = proc_owner(pid, &owner->uid, &owner->gid);
	if (err)
		return err;
	owner->same_root = same_link(pid, "ns/mnt") && same_link(pid, "root");
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	length = readlink(path, owner->cwd, sizeof(owner->cwd) - 1);
	owner->cwd[length < 0 ? 0 : length] = '\0';
	return 0;
}

/* Opens below root, which no symbolic link leads out of, with the rights of that user
 * and group and no others: leaving uid 0, the kernel takes the capabilities that
 * override a file's permissions away until we are back (capabilities(7)). */
static int open_below(int root, const char *path, uid_t uid, gid_t gid)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	gid_t groups[NGROUPS_MAX];
	int ngroups = getgroups(NGROUPS_MAX, groups), fd;

	if (ngroups < 0 || syscall(SYS_setgroups, 0, NULL))
		return -errno;
	setfsgid(gid);
	setfsuid(uid);
	/* They report no failure, but tell who we are. */
	if ((uid_t)setfsuid(-1) != uid || (gid_t)setfsgid(-1) != gid)
		fd = -EPERM;
	else
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd == -1)
		fd = -errno;
	setfsuid(0);
	setfsgid(getegid());
	if (syscall(SYS_setgroups, ngroups, groups) && fd >= 0) {
		close(fd);
		fd = -EPERM;
	}
	return fd;
}

static int open_as_owner(const struct source_owner *known, const char *name)
{
	struct source_owner owner = *known;
	char path[2 * PATH_MAX];
	int root, fd;

	/* Who is not root keeps what overrides permissions: it would read anything. */
	if (geteuid() || strlen(name) >= PATH_MAX)
		return -EPERM;
	/* It may have changed its user since. */
	if (proc_exists(owner.pid)) {
		if (proc_owner(owner.pid, &owner.uid, &owner.gid))
			return -ESRCH;
		snprintf(path, sizeof(path), "/proc/%d/root", owner.pid);
	} else {
		strcpy(path, "/");
	}
	root = path[1] ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	/* It is gone, or its parent, we perhaps, has not waited for it yet. */
	if (root < 0 && owner.same_root)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : owner.cwd,
		 name[0] == '/' ? "" : "/", name);
	fd = open_below(root, path, owner.uid, owner.gid);
	close(root);
	return fd;
}

static char *read_whole(int fd, size_t *size)
{
	size_t length = 0;
	struct stat st;
	ssize_t got;
	char *data;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > LARGEST_SOURCE)
		return NULL;
	data = malloc(st.st_size + 1);
	while (data && length < (size_t)st.st_size) {
		got = read(fd, data + length, st.st_size - length);
		if (got <= 0)
			break;
		length += got;
	}
	*size = length;
	return data;
}

/* One line, its tabs as four blanks. */
static char *clean_line(const char *line, size_t length)
{
	char *wide = malloc(4 * length + 1), *to = wide, *clean;
	size_t i;

	if (!wide)
		return NULL;
	for (i = 0; i < length; i++) {
		if (line[i] == '\t')
			to += sprintf(to, "    ");
		else if (line[i] != '\r' && line[i] != '\f')
			*to++ = line[i];
	}
	clean = utf8_from_str((uint8_t *)wide, to - wide, 0);
	free(wide);
	return clean;
}

static int split(struct source_text *text, const char *data, size_t size)
{
	const char *end = data + size, *next;
	char **more;

	for (; data < end; data = next + 1) {
		next = memchr(data, '\n', end - data);
		if (!next)
			next = end;
		if (text->nlines % 256 == 0) {
			more = reallocarray(text->lines, text->nlines + 256, sizeof(*more));
			if (!more)
				return -ENOMEM;
			text->lines = more;
		}
		text->lines[text->nlines] = clean_line(data, next - data);
		if (!text->lines[text->nlines])
			return -ENOMEM;
		text->nlines++;
	}
	return 0;
}

struct source_text *source_text__new(const struct source_owner *owner, const char *name)
{
	struct source_text *text = NULL;
	int fd = open_as_owner(owner, name);
	char *data = NULL;
	size_t size;

	if (fd < 0)
		return NULL;
	data = read_whole(fd, &size);
	text = data ? calloc(1, sizeof(*text)) : NULL;
	if (text && split(text, data, size)) {
		source_text__free(text);
		text = NULL;
	}
	free(data);
	close(fd);
	return text;
}

void source_text__free(struct source_text *text)
{
	size_t i;

	if (!text)
		return;
	for (i = 0; i < text->nlines; i++)
		free(text->lines[i]);
	free(text->lines);
	free(text);
}
