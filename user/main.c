// SPDX-License-Identifier: BSD-2-Clause
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/system.h"
#include "cli/explain.h"
#include "cli/options.h"

#define EXIT_USAGE 2

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

static int run(struct options *options)
{
	if (!options->command->observes)
		return options->command->run(options);
	if (system__check() || (options->all && options__find_all(options)))
		return EXIT_FAILURE;
	return options->explain ? explain__run(options) : options->command->run(options);
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
		log_set_verbose(true);
		libbpf_set_print(print_libbpf);
	}
	status = run(&options);
	options__free(&options);
	return status;
}
