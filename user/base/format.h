/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and times for people to read. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdint.h>
#include <time.h>

#define FORMAT_SIZE 32

struct text {
	char s[FORMAT_SIZE];
};

/* "0 B", "1023 B", "1.0 KiB", "12.3 MiB" */
struct text format_bytes(uint64_t bytes);

/* The same with a sign: "+1.0 KiB", "-12 B", "0 B" */
struct text format_change(int64_t bytes);

/* Only a negative one has a sign: "1.0 KiB", "-12 B" */
struct text format_signed(int64_t bytes);

/* "1,234,567" */
struct text format_count(uint64_t count);

/* The same with a sign: "+1,234", "-12", "0" */
struct text format_count_change(int64_t count);

/* UTC, ISO 8601: "2026-11-26T12:00:00Z"; "" for a year that has no number. */
struct text format_time(time_t when);

#endif /* FORMAT_H */
