// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Mode objects: what mode heap counts, and every small object that pymalloc hands out. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "heap.bpf.h"
#include "lifecycle.bpf.h"
#include "pools.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe")
int pymemtop_object(struct pt_regs *ctx)
{
	struct thread *t;

	probe__keep_own_stack(ctx);
	t = config.idle ? NULL : thread__current();
	if (t)
		pool__enter(ctx, t);
	return 0;
}
