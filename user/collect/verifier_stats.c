// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/verifier_stats.h"

/* BPF_LOG_STATS, include/linux/bpf_verifier.h: since 5.2 a few lines for each program and for each
 * of its global functions. The count in bpf_prog_info, verified_insns, exists only since 5.16. */
#define LOG_STATS 4
#define LOG_SIZE  (64 << 10)

struct program_stats {
	char name[64];
	char log[LOG_SIZE];
};

struct verifier_stats {
	struct program_stats **programs;
	size_t n;
};

struct verifier_stats *verifier_stats__new(void)
{
	return calloc(1, sizeof(struct verifier_stats));
}

void verifier_stats__free(struct verifier_stats *stats)
{
	size_t i;

	if (!stats)
		return;
	for (i = 0; i < stats->n; i++)
		free(stats->programs[i]);
	free(stats->programs);
	free(stats);
}

static int ask_for_program(struct verifier_stats *stats, struct bpf_program *program)
{
	struct program_stats **more = reallocarray(stats->programs, stats->n + 1, sizeof(*more));
	struct program_stats *of = more ? calloc(1, sizeof(*of)) : NULL;
	int err;

	if (more)
		stats->programs = more;
	if (!of)
		return -ENOMEM;
	more[stats->n++] = of;
	strncpy(of->name, bpf_program__name(program), sizeof(of->name) - 1);
	err = bpf_program__set_log_level(program, LOG_STATS);
	return err ? err : bpf_program__set_log_buf(program, of->log, sizeof(of->log));
}

int verifier_stats__ask(struct verifier_stats *stats, struct bpf_object *object)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program (program, object) {
		err = bpf_program__autoload(program) ? ask_for_program(stats, program) : 0;
		if (err)
			return err;
	}
	return 0;
}

const char *verifier_stats__get(const struct verifier_stats *stats, size_t i, long *instructions)
{
	const char *processed;

	if (i >= stats->n)
		return NULL;
	processed = strstr(stats->programs[i]->log, "processed ");
	if (!processed || sscanf(processed, "processed %ld insns", instructions) != 1)
		*instructions = -1;
	return stats->programs[i]->name;
}
