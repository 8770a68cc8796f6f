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
 * Handlers, not a signalfd: that needs the signals blocked, and then a report to a pipe that nobody
 * reads would never end. The state is global, as signals belong to the process.
 */
static volatile sig_atomic_t caught, count;
static int fd = -1; /* an eventfd */

static void note(int signal)
{
	const uint64_t one = 1;
	int saved = errno;

	caught = signal;
	count++;
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		caught = signal; /* it is readable already */
	errno = saved;
}

void signals__catch(void)
{
	/* Without SA_RESTART, so that waiting calls return. */
	struct sigaction action = {.sa_handler = note}, old;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Catch them even if a shell has its background jobs ignore them. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* But nohup wants SIGHUP ignored. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

int signals__caught(void)
{
	return caught;
}

int signals__count(void)
{
	return count;
}

int signals__fd(void)
{
	return fd;
}
