// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/format.h"

struct text format_bytes(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = bytes / 1024.0;
	struct text text = {0};
	int unit = 0;

	if (bytes < 1024) {
		snprintf(text.s, sizeof(text.s), "%" PRIu64 " B", bytes);
		return text;
	}
	/* 1023.95 would be printed as 1024.0. */
	for (; value >= 1023.95; unit++)
		value /= 1024;
	snprintf(text.s, sizeof(text.s), "%.1f %ciB", value, units[unit]);
	return text;
}

/* Puts a sign before what is there without one. */
static struct text with_sign(struct text size, int64_t value)
{
	struct text text;

	snprintf(text.s, sizeof(text.s), "%s%.*s",
		 value < 0 ? "-"
		 : value   ? "+"
			   : "",
		 FORMAT_SIZE - 2, size.s);
	return text;
}

static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

struct text format_change(int64_t bytes)
{
	return with_sign(format_bytes(magnitude(bytes)), bytes);
}

struct text format_signed(int64_t bytes)
{
	return bytes < 0 ? format_change(bytes) : format_bytes(bytes);
}

struct text format_count(uint64_t count)
{
	char digits[FORMAT_SIZE];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count), i;
	struct text text = {0};
	char *to = text.s;

	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

struct text format_count_change(int64_t count)
{
	return with_sign(format_count(magnitude(count)), count);
}

struct text format_time(time_t when)
{
	struct text text = {""};
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(text.s, sizeof(text.s), "%Y-%m-%dT%H:%M:%SZ", &tm))
		text.s[0] = 0;
	return text;
}
