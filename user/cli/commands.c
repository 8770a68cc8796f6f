// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "cli/commands.h"

/* To add one, write its file and add a line here. */
#define COMMANDS(ENTRY) \
	ENTRY(top)      \
	ENTRY(record)   \
	ENTRY(inspect)  \
	ENTRY(serve)    \
	ENTRY(fleet)    \
	ENTRY(report)   \
	ENTRY(diff)     \
	ENTRY(doctor)   \
	ENTRY(completion)

#define DECLARE(name) extern const struct command name##_command;
COMMANDS(DECLARE)

#define ENTER(name) &name##_command,
static const struct command *const commands[] = {COMMANDS(ENTER)};

const struct command *command__get(size_t i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? commands[i] : NULL;
}

const struct command *command__find(const char *name)
{
	const struct command *command;
	size_t i;

	for (i = 0; (command = command__get(i)); i++) {
		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}
