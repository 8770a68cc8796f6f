/* SPDX-License-Identifier: BSD-2-Clause */
/* All commands. The first is the default. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>

#include "cli/command.h"

/* Returns the i-th command, or NULL past the last. */
const struct command *command__get(size_t i);

/* Returns the command with that name, or NULL. */
const struct command *command__find(const char *name);

#endif /* COMMANDS_H */
