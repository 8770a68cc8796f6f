// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

#include "base/signals.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
	caught = signal;
}

void signals__catch(void)
{
	/* Without SA_RESTART: what waits shall return. */
	struct sigaction action = {.sa_handler = note}, old;
	struct sigaction ignore = {.sa_handler = SIG_IGN};

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
