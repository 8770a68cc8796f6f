/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "render.h"
#include "selection.h"
#include "source.h"

enum command {
	COMMAND_TOP,
	COMMAND_RECORD,
	COMMAND_DOCTOR,
};

struct options {
	enum command command;
	pid_t *pids;
	size_t npids;
	bool all;			/* every CPython process: main.c finds them */
	char **argv;			/* of a program to start; NULL: none */
	double duration;		/* seconds; 0: not given */
	double interval;		/* seconds; 0: not given */
	const struct renderer *renderer;
	const char *output;		/* NULL: stdout */
	struct render_options render;
	const struct source_type *type;	/* never NULL once parsed */
	enum attribution attribution;	/* 0: auto */
	struct source_options source;
	struct selection selection;
	bool explain;			/* only tell where the probes would be */
	bool verbose;
};

/* Reads the command line; may print help and exit. 0, or -EINVAL, having said
 * what is wrong; options__free() in either case. */
int options__parse(struct options *options, int argc, char **argv);
void options__free(struct options *options);

#endif /* OPTIONS_H */
