/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel offers of that which is newer than the oldest supported one, found by
 * trying and not by its version, as distributions take features back. user/base/kernel.c has
 * the table: what each is for, and what is used where it is missing.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

enum feature {
	FEATURE_TASK_STORAGE,
	FEATURE_LARGE_STORAGE,
	FEATURE_HASH_ALLOCATION,
	FEATURE_PERCPU_LOOKUP,
	FEATURE_FAULT_TRACEPOINTS,
	FEATURE_FAULT_FENTRY,
	FEATURE_PAGEMAP_SCAN,
	FEATURES,
};

/* Whether it is there; tried at the first call. */
bool feature__has(enum feature feature);

/* What it is called and is for, and what is used in its place. */
const char *feature__name(enum feature feature);
const char *feature__substitute(enum feature feature);

/* Says by log_detail() what was found. */
void kernel_features__log(void);

#endif /* KERNEL_H */
