// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "say.h"

static bool details;

void say_details(bool on)
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

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void say_detail(const char *format, ...)
{
	va_list args;

	if (!details)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}
