// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "profile/program_name.h"

/* What is longer is cut: a process can call itself anything. */
#define MOST_NAME 128

static char *printable(const char *text, size_t length)
{
	return utf8_from_str((const uint8_t *)text, length < MOST_NAME ? length : MOST_NAME, 0);
}

/* Interpreter options whose value is an argument of its own (Using/cmdline.rst of CPython). */
static bool takes_value(const char *word, size_t length)
{
	return length == 2 && word[0] == '-' && (word[1] == 'X' || word[1] == 'W');
}

/* A command line as proc_cmdline() has it: "python3 -u /srv/shop/app.py --port 80". */
static char *of_command(const char *cmdline)
{
	const char *word = cmdline + strcspn(cmdline, " "), *end, *slash;
	char text[MOST_NAME + 4];

	for (; *word == ' '; word = end) {
		word += strspn(word, " ");
		end = word + strcspn(word, " ");
		if (!strncmp(word, "-m ", 3)) {
			snprintf(text, sizeof(text), "-m %.*s", (int)strcspn(end + 1, " "),
				 end + 1);
			return printable(text, strlen(text));
		}
		if (!strncmp(word, "-c ", 3) || !strcmp(word, "-c"))
			return strdup("-c");
		if (takes_value(word, end - word)) {
			end += strspn(end, " ");
			end += strcspn(end, " ");
		} else if (word[0] && word[0] != '-') {
			slash = memrchr(word, '/', end - word);
			word = slash ? slash + 1 : word;
			return printable(word, end - word);
		}
	}
	return NULL;
}

char *program_name(const struct profile_process *process)
{
	static const char service[] = ".service";
	size_t length = process->unit ? strlen(process->unit) : 0;
	char *name;

	if (length > sizeof(service) - 1 &&
	    !strcmp(process->unit + length - (sizeof(service) - 1), service))
		return printable(process->unit, length - (sizeof(service) - 1));
	name = of_command(process->cmdline);
	return name ? name : printable(process->comm, strlen(process->comm));
}
