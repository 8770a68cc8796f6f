/* SPDX-License-Identifier: BSD-2-Clause */
/* How the BPF side knows a probe by its address: see struct probe_table. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stddef.h>

#include <linux/types.h>

#include "pymemtop.h"

/* A probe's address in a process, and what is there. */
struct dispatch {
	__u64 address;
	__u8 kind;	/* enum probe_kind */
	__u8 marker;	/* index of its marker_site */
};

/* Makes a table without collisions. The same address twice must be the same
 * probe. 0, or -E2BIG where there are too many probes. */
int dispatch__make(const struct dispatch *probes, size_t n, struct probe_table *table);

#endif /* DISPATCH_H */
