/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of pymemtop. A new one is a file, and a line in commands.c. */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>
#include <stdbool.h>

struct options;

struct command {
	const char *name;
	const char *help; /* for the list of commands */
	const struct argp *argp;
	bool observes; /* it looks at processes: the machine is checked first, -a is followed */

	/* What is wrong with its options: 0, or -EINVAL, having said it. NULL: nothing can be. */
	int (*check)(const struct options *options);

	/* The exit status, or -errno, which is said where nothing was. */
	int (*run)(const struct options *options);
};

#endif /* COMMAND_H */
