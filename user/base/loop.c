// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/signals.h"

/* Descriptors served per turn; the rest wait for the next. */
#define BATCH 16

/* The longest wait: epoll takes milliseconds as an int. */
#define MOST_SECONDS 86400.0

struct watch {
	int fd;
	loop_handler handler;
	void *context;
	struct watch *next;
};

struct loop {
	int epoll;
	struct watch *watches;
};

static int on_signal(void *context)
{
	(void)context;
	return LOOP_LEAVE;
}

int loop__new(struct loop **result)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = loop->epoll < 0 ? -errno : 0;
	if (!err && signals__fd() >= 0)
		err = loop__add(loop, signals__fd(), on_signal, NULL);
	if (err) {
		loop__free(loop);
		return err;
	}
	*result = loop;
	return 0;
}

void loop__free(struct loop *loop)
{
	struct watch *watch, *next;

	if (!loop)
		return;
	for (watch = loop->watches; watch; watch = next) {
		next = watch->next;
		free(watch);
	}
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop);
}

int loop__add(struct loop *loop, int fd, loop_handler handler, void *context)
{
	struct watch *watch = malloc(sizeof(*watch));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
	int err;

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){fd, handler, context, loop->watches};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
		err = -errno;
		free(watch);
		return err;
	}
	loop->watches = watch;
	return 0;
}

void loop__remove(struct loop *loop, int fd)
{
	struct watch **at = &loop->watches, *watch;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	watch = *at;
	if (!watch)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	*at = watch->next;
	free(watch);
}

static int milliseconds(double seconds)
{
	return seconds <= 0 ? 0 : ceil(fmin(seconds, MOST_SECONDS) * 1000);
}

int loop__wait(struct loop *loop, double seconds)
{
	struct epoll_event events[BATCH];
	const struct watch *watch;
	int n = epoll_wait(loop->epoll, events, BATCH, milliseconds(seconds)), i;
	int err = 0, result = 0;

	/* Some other signal, such as SIGWINCH or SIGCONT. */
	if (n < 0)
		return errno == EINTR ? LOOP_LEAVE : -errno;
	for (i = 0; err >= 0 && i < n; i++) {
		watch = events[i].data.ptr;
		err = watch->handler(watch->context);
		result |= err;
	}
	return err < 0 ? err : result;
}
