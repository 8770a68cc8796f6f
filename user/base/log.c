// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

static bool details;
static bool has_said;
static FILE *to; /* NULL: stderr */

void log_set_verbose(bool on)
{
	details = on;
}

bool log_is_verbose(void)
{
	return details;
}

void log_set_stream(FILE *stream)
{
	to = stream;
}

static void say(const char *format, va_list args)
{
	FILE *stream = to ?: stderr;

	fflush(stdout);
	fputs("pymemtop: ", stream);
	vfprintf(stream, format, args);
	fputc('\n', stream);
}

void log_error(const char *format, ...)
{
	va_list args;

	has_said = true;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

bool log_has_said(void)
{
	return has_said;
}

void log_notice(const char *format, ...)
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
