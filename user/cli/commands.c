// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "cli/commands.h"

extern const struct command top_command, record_command, doctor_command;

static const struct command *const commands[] = {
	&top_command,
	&record_command,
	&doctor_command,
};

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
