/* SPDX-License-Identifier: BSD-2-Clause */
/* All commands; the first can be left out. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h>

#include "cli/command.h"

/* The i-th, NULL past the last. */
const struct command *command__get(size_t i);

/* The one with that name, NULL if there is none. */
const struct command *command__find(const char *name);

#endif /* COMMANDS_H */
