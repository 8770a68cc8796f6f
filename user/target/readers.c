// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/openat2.h>

#include "base/clock.h"
#include "target/credentials.h"
#include "target/readers.h"

#define LARGEST_FILE (16 << 20)

/* The largest message between the helper and us; a file's bytes take as many as needed. */
#define CHUNK 65536

/* Time limit for one file: one on a disk takes less. */
#define READ_SECONDS 2.0

struct reader {
	struct credentials credentials;
	pid_t pid;
	int socket; /* -1: it reads nothing more */
	bool stuck; /* it did not answer in time, and may never */
};

struct readers {
	struct reader **all;
	size_t n;
};

/* Precedes a file's bytes. */
struct answer {
	int err; /* -errno, or 0 */
	size_t size;
	double changed; /* seconds since 1970 */
};

/*
 * The helper's side.
 */

/* File systems whose files are not on a disk but interfaces to the kernel: reading one can have
 * effects, and /proc/self would show us, not the target. */
static bool is_pseudo(int fd)
{
	static const long pseudo[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,    DEBUGFS_MAGIC,	TRACEFS_MAGIC,
		SECURITYFS_MAGIC,   BPF_FS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		NSFS_MAGIC,	    PSTOREFS_MAGIC, EFIVARFS_MAGIC,	SELINUX_MAGIC,
		DEVPTS_SUPER_MAGIC,
	};
	struct statfs fs;
	size_t i;

	if (fstatfs(fd, &fs))
		return true;
	for (i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++) {
		if ((long)fs.f_type == pseudo[i])
			return true;
	}
	return false;
}

static double seconds_of(const struct timespec *time)
{
	return time->tv_sec + time->tv_nsec / 1e9;
}

/* Opens a file below root. Returns a descriptor or -errno. */
static int open_below(int root, const char *path, struct answer *answer)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how)), err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || is_pseudo(fd))
		err = -EINVAL;
	else if (st.st_size > LARGEST_FILE)
		err = -EFBIG;
	if (err) {
		close(fd);
		return err;
	}
	answer->size = st.st_size;
	answer->changed = fmax(seconds_of(&st.st_mtim), seconds_of(&st.st_ctim));
	return fd;
}

/* Sends the announced bytes of a file; NULs for those that are missing by now. */
static void send_bytes(int socket, int fd, size_t size)
{
	static char chunk[CHUNK];
	ssize_t got;
	size_t n;

	for (; size; size -= n) {
		n = size < CHUNK ? size : CHUNK;
		got = read(fd, chunk, n);
		if (got > 0)
			n = got;
		else
			memset(chunk, 0, n);
		if (send(socket, chunk, n, MSG_NOSIGNAL) < 0)
			_exit(1);
	}
}

static void serve(int socket, int root)
{
	static char path[2 * PATH_MAX];
	struct answer answer;
	ssize_t got;
	int fd;

	while ((got = recv(socket, path, sizeof(path) - 1, 0)) > 0) {
		path[got] = '\0';
		answer = (struct answer){0};
		fd = open_below(root, path, &answer);
		answer.err = fd < 0 ? fd : 0;
		if (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(1);
		if (fd < 0)
			continue;
		send_bytes(socket, fd, answer.size);
		close(fd);
	}
}

static void close_all_but(int a, int b)
{
	struct rlimit limit;
	int low = a < b ? a : b, high = a < b ? b : a, fd;

	/* close_range() exists since 5.9, but a seccomp filter may not know it. */
	if (!syscall(SYS_close_range, high + 1, ~0U, 0) &&
	    (high == low + 1 || !syscall(SYS_close_range, low + 1, high - 1, 0)) &&
	    (!low || !syscall(SYS_close_range, 0, low - 1, 0)))
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		limit.rlim_cur = 1 << 20;
	for (fd = 0; (rlim_t)fd < limit.rlim_cur; fd++) {
		if (fd != a && fd != b)
			close(fd);
	}
}

static void run_helper(const struct credentials *credentials, int socket, int root)
{
	/* Sent by a terminal or a shell to all processes of a job. */
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	struct answer ready;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	close_all_but(socket, root);
	prctl(PR_SET_NAME, "pymemtop-reader");
	ready = (struct answer){.err = credentials__assume(credentials)};
	/* Its user must not look into it either: it is a copy of us. */
	if (!ready.err && prctl(PR_SET_DUMPABLE, 0))
		ready.err = -errno;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (send(socket, &ready, sizeof(ready), MSG_NOSIGNAL) == sizeof(ready) && !ready.err)
		serve(socket, root);
	_exit(0);
}

/*
 * Our side.
 */

static void reader__stop(struct reader *reader)
{
	if (reader->socket >= 0)
		close(reader->socket);
	reader->socket = -1;
	if (reader->pid > 0) {
		kill(reader->pid, SIGKILL);
		/* Even SIGKILL cannot end a helper that waits for some file systems. */
		waitpid(reader->pid, NULL, reader->stuck ? WNOHANG : 0);
	}
	reader->pid = 0;
}

/* Receives one message, by the deadline. Returns its size or -errno. */
static ssize_t receive(struct reader *reader, void *to, size_t size, double deadline)
{
	struct pollfd ready = {.fd = reader->socket, .events = POLLIN};
	double left;
	ssize_t got;
	int n;

	do {
		left = deadline - clock_seconds(CLOCK_MONOTONIC);
		n = left > 0 ? poll(&ready, 1, left * 1000 + 1) : 0;
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		reader->stuck = true;
		return -ETIMEDOUT;
	}
	got = recv(reader->socket, to, size, 0);
	return got > 0 ? got : got ? -errno : -EPIPE;
}

static int receive_answer(struct reader *reader, struct answer *answer, double deadline)
{
	ssize_t got = receive(reader, answer, sizeof(*answer), deadline);

	return got < 0 ? got : got != sizeof(*answer) ? -EPROTO : 0;
}

static int reader__start(struct reader *reader, int root)
{
	double deadline = clock_seconds(CLOCK_MONOTONIC) + READ_SECONDS;
	struct answer ready;
	int sockets[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	reader->pid = fork();
	if (!reader->pid)
		run_helper(&reader->credentials, sockets[1], root);
	close(sockets[1]);
	reader->socket = sockets[0];
	if (reader->pid < 0)
		return -errno;
	err = receive_answer(reader, &ready, deadline);
	return err ? err : ready.err;
}

static void reader__free(struct reader *reader)
{
	reader__stop(reader);
	credentials__done(&reader->credentials);
	free(reader);
}

struct readers *readers__new(void)
{
	return calloc(1, sizeof(struct readers));
}

void readers__free(struct readers *readers)
{
	size_t i;

	if (!readers)
		return;
	for (i = 0; i < readers->n; i++)
		reader__free(readers->all[i]);
	free(readers->all);
	free(readers);
}

static struct reader *find_equal(const struct readers *readers, const struct credentials *wanted)
{
	size_t i;

	for (i = 0; i < readers->n; i++) {
		if (credentials__equal(&readers->all[i]->credentials, wanted))
			return readers->all[i];
	}
	return NULL;
}

static int add_reader(struct readers *readers, const struct credentials *credentials, int root,
		      struct reader **result)
{
	struct reader **more = reallocarray(readers->all, readers->n + 1, sizeof(*more));
	struct reader *reader = more ? calloc(1, sizeof(*reader)) : NULL;
	int err;

	if (more)
		readers->all = more;
	if (!reader)
		return -ENOMEM;
	reader->credentials = *credentials;
	reader->socket = -1;
	err = reader__start(reader, root);
	if (err) {
		reader__stop(reader);
		free(reader);
		return err;
	}
	readers->all[readers->n++] = *result = reader;
	return 0;
}

int readers__find(struct readers *readers, pid_t pid, struct reader **reader)
{
	struct credentials credentials;
	int root, err = credentials__read(pid, &credentials, &root);

	if (err)
		return err;
	*reader = find_equal(readers, &credentials);
	err = *reader ? 0 : add_reader(readers, &credentials, root, reader);
	close(root);
	/* A new reader has taken over the groups. */
	if (err || (*reader)->credentials.groups != credentials.groups)
		credentials__done(&credentials);
	return err;
}

bool reader__fits(const struct reader *reader, pid_t pid)
{
	struct credentials credentials;
	bool fits;

	if (credentials__read(pid, &credentials, NULL))
		return false;
	fits = credentials__equal(&reader->credentials, &credentials);
	credentials__done(&credentials);
	return fits;
}

bool reader__is_of(const struct reader *reader, uid_t uid, gid_t gid, uint64_t capabilities)
{
	const struct credentials *credentials = &reader->credentials;

	return credentials->uid[1] == uid && credentials->gid[1] == gid &&
	       credentials->capabilities == capabilities;
}

/* Receives the bytes that the answer announced. NULL with errno. */
static char *receive_bytes(struct reader *reader, size_t size, double deadline)
{
	char *bytes = size > LARGEST_FILE ? NULL : malloc(size + 1);
	size_t length = 0;
	ssize_t got = 0;

	if (!bytes) {
		errno = size > LARGEST_FILE ? EPROTO : ENOMEM;
		return NULL;
	}
	while (length < size) {
		got = receive(reader, bytes + length, size - length, deadline);
		if (got < 0) {
			free(bytes);
			errno = -got;
			return NULL;
		}
		length += got;
	}
	bytes[size] = '\0';
	return bytes;
}

char *reader__read(struct reader *reader, const char *path, size_t *size, double *changed)
{
	double deadline = clock_seconds(CLOCK_MONOTONIC) + READ_SECONDS;
	struct answer answer = {0};
	char *bytes = NULL;
	int err;

	if (reader->socket < 0) {
		errno = EPIPE;
		return NULL;
	}
	if (send(reader->socket, path, strlen(path), MSG_NOSIGNAL) < 0)
		err = -errno;
	else
		err = receive_answer(reader, &answer, deadline);
	/* An error of the file system concerns only the file; any other ends the reader. */
	if (!err && answer.err) {
		errno = -answer.err;
		return NULL;
	}
	if (!err) {
		bytes = receive_bytes(reader, answer.size, deadline);
		err = bytes ? 0 : -errno;
	}
	if (err) {
		reader__stop(reader);
		errno = -err;
	}
	*size = answer.size;
	*changed = answer.changed;
	return bytes;
}
