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

/* What was ignored stays so: nohup means it. */
static void catch(int signal)
{
	/* Without SA_RESTART: what waits shall return. */
	struct sigaction action = { .sa_handler = note }, old;

	if (!sigaction(signal, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signal, &action, NULL);
}

void interrupt__catch(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	catch(SIGINT);
	catch(SIGTERM);
	catch(SIGHUP);
	sigaction(SIGPIPE, &ignore, NULL);
}

int interrupt__signal(void)
{
	return caught;
}
