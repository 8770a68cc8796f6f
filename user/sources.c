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
#include <unistd.h>

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
	err = proc_owner(pid, &owner->uid, &owner->gid);
	if (err)
		return err;
	owner->same_root = same_link(pid, "ns/mnt") && same_link(pid, "root");
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	length = readlink(path, owner->cwd, sizeof(owner->cwd) - 1);
	owner->cwd[length < 0 ? 0 : length] = '\0';
	return 0;
}

static int open_as_owner(const struct source_owner *owner, const char *name)
{
	char path[2 * PATH_MAX], *end = path;
	uid_t uid;
	gid_t gid;
	int fd;

	if (proc_exists(owner->pid))
		end += sprintf(end, "/proc/%d/root", owner->pid);
	else if (!owner->same_root)
		return -ESRCH;
	if (strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	sprintf(end, "%s%s%s", name[0] == '/' ? "" : owner->cwd, name[0] == '/' ? "" : "/", name);
	gid = setfsgid(owner->gid);
	uid = setfsuid(owner->uid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	setfsuid(uid);
	setfsgid(gid);
	return fd < 0 ? -errno : fd;
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
