// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/programs.h"

struct programs {
	struct program all[MAX_PROGRAMS];
	size_t n;
};

struct programs *programs__new(void)
{
	return calloc(1, sizeof(struct programs));
}

void programs__free(struct programs *programs)
{
	size_t i;

	if (!programs)
		return;
	for (i = 0; i < programs->n; i++)
		free(programs->all[i].cmdline);
	free(programs);
}

int programs__find(struct programs *programs, const struct program *described)
{
	struct program *program;
	size_t i;

	for (i = 0; !described->pid && i < programs->n; i++) {
		program = &programs->all[i];
		if (!program->pid && !strcmp(program->cmdline, described->cmdline) &&
		    !strcmp(program->python, described->python))
			return i;
	}
	/* The last one collects all others. */
	if (programs->n == MAX_PROGRAMS)
		return MAX_PROGRAMS - 1;
	program = &programs->all[programs->n];
	*program = *described;
	program->cmdline =
		strdup(programs->n == MAX_PROGRAMS - 1 ? "(others)" : described->cmdline);
	return program->cmdline ? (int)programs->n++ : -ENOMEM;
}

void programs__add_ended(struct programs *programs, __u32 number,
			 const struct process_counters *counters)
{
	struct program *program = &programs->all[number];
	int cause;

	program->ended++;
	program->before_bytes += counters->before_bytes;
	program->anon_bytes += counters->anon_bytes;
	program->shared_before_bytes += counters->shared_before_bytes;
	for (cause = 0; cause < LOST_CAUSES; cause++)
		program->lost[cause] += counters->lost[cause];
}

const struct program *programs__get(const struct programs *programs, size_t *n)
{
	*n = programs->n;
	return programs->all;
}
