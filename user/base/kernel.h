/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel features newer than the oldest supported kernel. They are tried, not derived from the
 * version, as distributions port features back. The table in user/base/kernel.c says what each is
 * for, and what is used without it.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

enum feature {
	FEATURE_TASK_STORAGE,
	FEATURE_LARGE_STORAGE,
	FEATURE_HASH_ALLOCATION,
	FEATURE_COMPARE_AND_EXCHANGE,
	FEATURE_PERCPU_LOOKUP,
	FEATURE_FAULT_TRACEPOINTS,
	FEATURE_FAULT_FENTRY,
	FEATURE_RSS_STAT,
	FEATURE_PAGEMAP_SCAN,
	FEATURE_OWN_CONTEXTS,
	FEATURES,
};

/* Whether the kernel has it; tried at the first call. */
bool feature__has(enum feature feature);

/* Its name and purpose, and what is used in its place. */
const char *feature__name(enum feature feature);
const char *feature__substitute(enum feature feature);

/* Logs by log_detail() what was found. */
void kernel_features__log(void);

#endif /* KERNEL_H */
