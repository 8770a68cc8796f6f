/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this machine, and this user on it, can run pymemtop. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* One check: a name, and a function that says what it found. */
struct system_check {
	const char *name;
	bool required; /* nothing works without it; else it is only reported */

	/* 0, or -errno if it is not as required: then said has the reason and what helps. */
	int (*look)(char *said, size_t size);
};

/* The i-th check, NULL past the last. */
const struct system_check *system_check__get(size_t i);

/* Makes all required checks. 0, or -errno, having said what is missing. */
int system__check(void);

#endif /* SYSTEM_H */
