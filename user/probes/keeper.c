// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/kernel.h"
#include "probes/keeper.h"
#include "probes/perf_event.h"
#include "pymemtop.h"

struct held {
	pid_t pid;
	__u32 process;
	uint64_t id;
	int fd;
};

struct keeper {
	struct ring_buffer *ring;
	/* Not a struct loop, whose waits end with the first signal. end: the thread is to end. */
	int epoll, end;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* of all that follows */
	struct held *held;
	size_t nheld, room;
};

static void close_event(const struct held *held)
{
	if (held->fd >= 0)
		close(held->fd);
}

static bool is_held(const struct keeper *keeper, pid_t pid, __u32 process, uint64_t id)
{
	size_t i;

	for (i = 0; i < keeper->nheld; i++) {
		if (keeper->held[i].pid == pid && keeper->held[i].process == process &&
		    keeper->held[i].id == id)
			return true;
	}
	return false;
}

static int hold(struct keeper *keeper, pid_t pid, __u32 process, uint64_t id)
{
	struct held *more;
	int fd;

	if (is_held(keeper, pid, process, id))
		return 0;
	if (keeper->nheld == keeper->room) {
		more = reallocarray(keeper->held, keeper->room + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		keeper->held = more;
		keeper->room += 64;
	}
	fd = perf_event__open_own(id, pid);
	/* Of one that has ended, the id stays known until it is released: its children need it. */
	if (fd < 0 && fd != -ESRCH)
		return fd;
	keeper->held[keeper->nheld++] = (struct held){pid, process, id, fd};
	return 0;
}

int keeper__hold(struct keeper *keeper, pid_t pid, __u32 process, uint64_t id)
{
	int err;

	if (!keeper)
		return 0;
	pthread_mutex_lock(&keeper->lock);
	err = hold(keeper, pid, process, id);
	pthread_mutex_unlock(&keeper->lock);
	return err;
}

int keeper__inherit(struct keeper *keeper, pid_t pid, __u32 process, __u32 parent)
{
	size_t i, n;
	int err = 0;

	if (!keeper)
		return 0;
	pthread_mutex_lock(&keeper->lock);
	for (i = 0, n = keeper->nheld; !err && i < n; i++) {
		if (keeper->held[i].process == parent)
			err = hold(keeper, pid, process, keeper->held[i].id);
	}
	pthread_mutex_unlock(&keeper->lock);
	return err;
}

void keeper__release(struct keeper *keeper, pid_t pid, __u32 process)
{
	size_t i, n = 0;

	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	for (i = 0; i < keeper->nheld; i++) {
		if (keeper->held[i].pid == pid && keeper->held[i].process == process)
			close_event(&keeper->held[i]);
		else
			keeper->held[n++] = keeper->held[i];
	}
	keeper->nheld = n;
	pthread_mutex_unlock(&keeper->lock);
}

void keeper__remove(struct keeper *keeper, uint64_t id)
{
	size_t i, n = 0;

	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	for (i = 0; i < keeper->nheld; i++) {
		if (keeper->held[i].id == id)
			close_event(&keeper->held[i]);
		else
			keeper->held[n++] = keeper->held[i];
	}
	keeper->nheld = n;
	pthread_mutex_unlock(&keeper->lock);
}

/* Errors are ignored: the main thread tries again when it meets the process, and says them. */
static int on_record(void *context, void *data, size_t size)
{
	const struct process_record *record = data;

	if (size < sizeof(*record))
		return 0;
	if (record->event == PROCESS_HAS_FORKED)
		keeper__inherit(context, record->pid, record->record.process, record->parent);
	else if (record->event == PROCESS_HAS_ENDED)
		keeper__release(context, record->pid, record->record.process);
	return 0;
}

static void *run(void *context)
{
	struct keeper *keeper = context;
	struct epoll_event event;

	while (epoll_wait(keeper->epoll, &event, 1, -1) >= 0 || errno == EINTR) {
		if (event.data.fd == keeper->end)
			break;
		ring_buffer__consume(keeper->ring);
	}
	return NULL;
}

static int start_thread(struct keeper *keeper)
{
	sigset_t all, before;
	int err;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keeper->runs = !err;
	return err;
}

static int listen_to(struct keeper *keeper, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int keeper__new(int fd, struct keeper **result)
{
	struct keeper *keeper;
	int err = 0;

	*result = NULL;
	if (feature__has(FEATURE_OWN_CONTEXTS))
		return 0;
	keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return -ENOMEM;
	pthread_mutex_init(&keeper->lock, NULL);
	keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
	keeper->end = eventfd(0, EFD_CLOEXEC);
	keeper->ring = ring_buffer__new(fd, on_record, keeper, NULL);
	if (keeper->epoll < 0 || keeper->end < 0 || !keeper->ring)
		err = -errno;
	if (!err)
		err = listen_to(keeper, keeper->end);
	if (!err)
		err = listen_to(keeper, ring_buffer__epoll_fd(keeper->ring));
	if (!err)
		err = start_thread(keeper);
	if (err) {
		keeper__free(keeper);
		return err;
	}
	*result = keeper;
	return 0;
}

void keeper__free(struct keeper *keeper)
{
	size_t i;

	if (!keeper)
		return;
	if (keeper->runs) {
		eventfd_write(keeper->end, 1);
		pthread_join(keeper->thread, NULL);
	}
	for (i = 0; i < keeper->nheld; i++)
		close_event(&keeper->held[i]);
	ring_buffer__free(keeper->ring);
	if (keeper->epoll >= 0)
		close(keeper->epoll);
	if (keeper->end >= 0)
		close(keeper->end);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper->held);
	free(keeper);
}
