// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

static bool details;

void log_set_verbose(bool on)
{
	details = on;
}

static void say(const char *format, va_list args)
{
	fflush(stdout);
	fputs("pymemtop: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void log_detail(const char *format, ...)
{
	va_list args;

	if (!details)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}
