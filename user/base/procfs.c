// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mounts.h"
#include "base/procfs.h"
#include "base/utf8.h"

bool proc_map__parse(const char *line, struct proc_map *map)
{
	static const char deleted[] = " (deleted)";
	char permissions[5];
	size_t length;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &map->start,
		   &map->end, permissions, &map->offset, &map->dev_major, &map->dev_minor,
		   &map->inode, &at) != 7 ||
	    !at)
		return false;
	map->executable = permissions[2] == 'x';
	map->is_writable = permissions[1] == 'w';
	map->is_private = permissions[3] == 'p';
	map->is_accessible = strncmp(permissions, "---", 3);
	line += at;
	line += strspn(line, " \t");
	length = strcspn(line, "\n");
	if (length >= sizeof(map->path))
		return false;
	memcpy(map->path, line, length);
	map->path[length] = '\0';
	if (length > sizeof(deleted) - 1 &&
	    !strcmp(map->path + length - (sizeof(deleted) - 1), deleted))
		map->path[length - (sizeof(deleted) - 1)] = '\0';
	return map->start < map->end;
}

static FILE *proc_open(pid_t pid, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

FILE *proc_maps__open(pid_t pid)
{
	return proc_open(pid, "maps");
}

FILE *proc_cgroup__open(pid_t pid)
{
	return proc_open(pid, "cgroup");
}

FILE *proc_smaps__open(pid_t pid)
{
	return proc_open(pid, "smaps");
}

bool proc_maps__next(FILE *maps, struct proc_map *map)
{
	char line[sizeof(map->path) + 128];

	bool whole = true, continued;

	/* The rest of an overlong line must not pass as a line of its own: a file's name can hold
	 * anything. */
	while (fgets(line, sizeof(line), maps)) {
		continued = !whole;
		whole = strchr(line, '\n');
		if (whole && !continued && proc_map__parse(line, map))
			return true;
	}
	return false;
}

int proc_map__open_file(pid_t pid, const struct proc_map *map)
{
	char path[sizeof(map->path) + 64];
	struct stat st;
	int fd;

	if (!mounts__may_read(pid, map->dev_major, map->dev_minor))
		return -EPERM;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* Without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, open by name, if that still is the same
	 * file. O_NONBLOCK, as it may be a FIFO's name by now. */
	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, map->path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_ino != map->inode ||
	    major(st.st_dev) != map->dev_major || minor(st.st_dev) != map->dev_minor) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

uint64_t proc_rss(pid_t pid)
{
	auto_fclose FILE *file = proc_open(pid, "statm");
	uint64_t pages;

	if (!file || fscanf(file, "%*u %" SCNu64, &pages) != 1)
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}

/* Finds the first number of a line of a status file, such as "RssAnon". False: it is not there. */
static bool read_status(pid_t pid, const char *file_name, const char *name, uint64_t *number)
{
	auto_fclose FILE *file = proc_open(pid, file_name);
	size_t length = strlen(name);
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, length) &&
		    sscanf(line + length, ": %" SCNu64, number) == 1)
			return true;
	}
	return false;
}

int proc_sizes(pid_t pid, struct proc_sizes *sizes)
{
	FILE *statm = proc_open(pid, "statm");
	int n;

	if (!statm)
		return -errno;
	n = fscanf(statm, "%" SCNu64 " %*u %" SCNu64, &sizes->all, &sizes->shared);
	fclose(statm);
	return n == 2 ? 0 : -ESRCH;
}

uint64_t proc_status_bytes(pid_t pid, const char *name)
{
	uint64_t kib;

	return read_status(pid, "status", name, &kib) ? kib * 1024 : 0;
}

static ssize_t proc_read_file(pid_t pid, const char *name, char *buffer, size_t size)
{
	auto_fclose FILE *file = proc_open(pid, name);
	size_t length;

	buffer[0] = '\0';
	if (!file)
		return -errno;
	length = fread(buffer, 1, size - 1, file);
	buffer[length] = '\0';
	return length;
}

int proc_cmdline(pid_t pid, char *buffer, size_t size)
{
	ssize_t length = proc_read_file(pid, "cmdline", buffer, size), i;

	if (length < 0)
		return length;
	while (length && !buffer[length - 1])
		length--;
	for (i = 0; i < length; i++) {
		if (!buffer[i])
			buffer[i] = ' ';
	}
	return 0;
}

int proc_comm(pid_t pid, char *buffer, size_t size)
{
	ssize_t length = proc_read_file(pid, "comm", buffer, size);

	if (length < 0)
		return length;
	buffer[length && buffer[length - 1] == '\n' ? length - 1 : length] = '\0';
	utf8_keep_ascii(buffer);
	return 0;
}

int proc_cwd(pid_t pid, char *buffer, size_t size)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	length = readlink(path, buffer, size - 1);
	buffer[length < 0 ? 0 : length] = '\0';
	return length < 0 ? -errno : 0;
}

static void cleanup_closedir(DIR *const *dir)
{
	if (*dir)
		closedir(*dir);
}

/* The numeric names in a directory: a malloc'ed array. NULL with errno. */
static pid_t *list_numbers(const char *path, size_t *n)
{
	CLEANUP(cleanup_closedir) DIR *dir = opendir(path);
	auto_free pid_t *numbers = NULL;
	struct dirent *entry;
	size_t size = 0;
	pid_t *more;

	if (!dir)
		return NULL;
	*n = 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (*n == size) {
			size = size ? 2 * size : 16;
			more = realloc(numbers, size * sizeof(*numbers));
			if (!more)
				return NULL;
			numbers = more;
		}
		numbers[(*n)++] = atoi(entry->d_name);
	}
	if (!*n)
		errno = ESRCH;
	return take(numbers);
}

pid_t *proc_processes(size_t *n)
{
	return list_numbers("/proc", n);
}

pid_t *proc_threads(pid_t pid, size_t *n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return list_numbers(path, n);
}

bool proc_exists(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return !access(path, F_OK);
}

int proc_read(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = {.iov_base = to, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
	ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

/* Reads /proc/PID/stat into text. Returns where its third field, the state, follows: the second is
 * a name in parentheses. NULL: it is gone. */
static char *read_stat(pid_t pid, char *text, int size)
{
	auto_fclose FILE *file = proc_open(pid, "stat");

	return file && fgets(text, size, file) ? strrchr(text, ')') : NULL;
}

char proc_state(pid_t pid)
{
	char text[4096], *end = read_stat(pid, text, sizeof(text));

	return end && end[1] ? end[2] : 0;
}

/* The number of a field, from where read_stat() points; NULL is fine. 0: it is not there. */
static uint64_t stat_field(const char *text, int field)
{
	int n;

	for (n = 2; text && n < field; n++)
		text = strchr(text + 1, ' ');
	return text ? strtoull(text, NULL, 10) : 0;
}

int proc_life(pid_t pid, struct proc_life *life)
{
	char text[4096], *end = read_stat(pid, text, sizeof(text));

	if (!end)
		return -ESRCH;
	life->start_time = stat_field(end, 22);
	life->start_stack = stat_field(end, 28);
	return 0;
}

pid_t proc_parent(pid_t pid)
{
	char text[4096];

	return (pid_t)stat_field(read_stat(pid, text, sizeof(text)), 4);
}

uint64_t proc_minor_faults(pid_t pid)
{
	char text[4096];

	return stat_field(read_stat(pid, text, sizeof(text)), 10);
}

uid_t proc_user(pid_t pid)
{
	uint64_t user;

	return read_status(pid, "status", "Uid", &user) ? (uid_t)user : (uid_t)-1;
}

/* A program can have thousands of threads; this is only to see how far it gets. */
#define MOST_WAITERS 32

uint64_t proc_waits(pid_t pid)
{
	auto_free pid_t *threads = NULL;
	uint64_t waits = 0, number;
	size_t n = 0, i;
	char path[32];

	threads = proc_threads(pid, &n);
	for (i = 0; threads && i < n && i < MOST_WAITERS; i++) {
		snprintf(path, sizeof(path), "task/%d/status", threads[i]);
		if (read_status(pid, path, "voluntary_ctxt_switches", &number))
			waits += number;
	}
	return waits;
}

/* starttime is in clock ticks since the boot. */
double proc_started(pid_t pid)
{
	struct proc_life life;

	if (proc_life(pid, &life))
		return clock_seconds(CLOCK_REALTIME);
	return clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_BOOTTIME) +
	       (double)life.start_time / sysconf(_SC_CLK_TCK);
}
