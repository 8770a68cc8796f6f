// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"

static volatile sig_atomic_t caught;

static void note(int signal)
{
	caught = signal;
}

void interrupt__catch(void)
{
	/* Without SA_RESTART: what waits shall return. */
	struct sigaction action = { .sa_handler = note };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

int interrupt__signal(void)
{
	return caught;
}
