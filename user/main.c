// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	int err;

	if (!options->command->observes)
		return options->command->run(options);
	err = system__check();
	if (!err)
		err = options__find_all(options);
	if (err)
		return err;
	return options->explain ? explain__run(options) : options->command->run(options);
}

/* Whoever knew what the user can do has said so; errors that nobody explained are reported here. */
static int status_of(int result)
{
	if (result >= 0)
		return result;
	if (!log_has_said())
		log_error("%s", strerror(-result));
	return EXIT_FAILURE;
}

/*
 * What is closed would be the number of the next file that is opened: a map, say, to which the
 * report would go. It is opened the wrong way round, so that using it fails.
 */
static int fill_standard_files(void)
{
	int fd, opened;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		opened = open("/dev/null", fd ? O_RDONLY : O_WRONLY);
		if (opened != fd)
			return -EBADF;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (fill_standard_files())
		return EXIT_FAILURE;
	setlocale(LC_CTYPE, "");
	libbpf_set_print(NULL);
	status = options__parse(&options, argc, argv);
	if (status) {
		options__free(&options);
		return status == -EINVAL ? EXIT_USAGE : status_of(status);
	}
	if (options.verbose)
		log_set_verbose(true);
	if (options.verbose > 1)
		libbpf_set_print(print_libbpf);
	status = status_of(run(&options));
	options__free(&options);
	return status;
}
