/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this machine, and this user on it, can run pymemtop. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* What is looked at: a name, and a function that says what it found. */
struct system_check {
	const char *name;
	bool required; /* without it nothing works; else it is only told */

	/* 0, or -errno where it is not as it must be: then said has the reason and what helps. */
	int (*look)(char *said, size_t size);
};

/* The i-th, NULL past the last. */
const struct system_check *system_check__get(size_t i);

/* Whether all is there that is required. 0, or -errno, having said what is missing. */
int system__check(void);

#endif /* SYSTEM_H */
