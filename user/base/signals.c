// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <signal.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/signals.h"

/*
 * Handlers, and not a signalfd: that needs the signals to be blocked, and a report that is being
 * written to a pipe nobody reads would never end. What they note is the process's, as its
 * signals are.
 */
static volatile sig_atomic_t caught;
static int fd = -1; /* an eventfd */

static void note(int signal)
{
	const uint64_t one = 1;
	int saved = errno;

	caught = signal;
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		caught = signal; /* it can be read already */
	errno = saved;
}

void signals__catch(void)
{
	/* Without SA_RESTART: what waits shall return. */
	struct sigaction action = {.sa_handler = note}, old;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Caught even where a shell has its background jobs ignore it. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* But nohup means it. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

int signals__caught(void)
{
	return caught;
}

int signals__fd(void)
{
	return fd;
}
