/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel, and this user on it, can do. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>

struct system_features {
	bool task_storage;	/* in uprobes: Linux 5.12 */
	bool bpf_allocator;	/* hash maps can allocate in any context: Linux 6.1 */
};

/* Whether pymemtop can work here at all. 0, or -errno, having said why not. */
int system__check(void);

struct system_features system__features(void);

#endif /* SYSTEM_H */
