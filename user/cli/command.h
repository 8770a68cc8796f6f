/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of pymemtop. To add one, write a file and add a line to commands.c. */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>
#include <stdbool.h>

struct options;

struct command {
	const char *name;
	const char *help; /* for the list of commands */
	const struct argp *argp;
	bool takes_all; /* without -p, it looks at all */
	bool observes;	/* it looks at processes: main() first checks the machine and resolves -a */

	/* Checks its options. Returns 0, or -EINVAL, having said why. NULL: any options will do. */
	int (*check)(const struct options *options);

	/* Returns the exit status, or -errno, which main() reports if nobody has. */
	int (*run)(const struct options *options);
};

#endif /* COMMAND_H */
