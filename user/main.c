// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "doctor.h"
#include "options.h"
#include "record.h"
#include "say.h"
#include "system.h"
#include "target.h"
#include "top.h"

#define EXIT_USAGE 2

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

/* --explain-probes: looks at the targets, and attaches nothing. */
static int explain(const struct options *options)
{
	const struct target_wish wish = {
		.attribution = options->attribution,
		.lines = options->type->by_line,
	};
	struct target *target;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < options->npids; i++) {
		err = target__new(options->pids[i], &wish, &target);
		if (err)
			return EXIT_FAILURE;
		err = probe_points__explain(target, &options->type->wish, stdout);
		if (err)
			say_error("the code of process %d cannot be read: %s", options->pids[i],
				  strerror(-err));
		target__free(target);
	}
	return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --all: what runs by now. */
static int find_all(struct options *options)
{
	options->pids = target__list(&options->npids);
	if (!options->pids || !options->npids) {
		say_error("no process runs CPython 3.7 or later");
		return -ESRCH;
	}
	if (options->npids > MAX_PROCESSES / 2) {
		say_error("of %zu processes that run CPython, %d are recorded", options->npids,
			  MAX_PROCESSES / 2);
		options->npids = MAX_PROCESSES / 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	setlocale(LC_CTYPE, "");
	libbpf_set_print(NULL);
	if (options__parse(&options, argc, argv)) {
		options__free(&options);
		return EXIT_USAGE;
	}
	if (options.verbose) {
		say_details(true);
		libbpf_set_print(print_libbpf);
	}
	if (options.command == COMMAND_DOCTOR)
		status = doctor__run();
	else if (system__check() || (options.all && find_all(&options)))
		status = EXIT_FAILURE;
	else if (options.explain)
		status = explain(&options);
	else if (options.command == COMMAND_RECORD)
		status = record__run(&options);
	else
		status = top__run(&options);
	options__free(&options);
	return status;
}
