/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The programs that count heap blocks and direct mappings: one for all entries of allocator
 * functions, one for all returns. user/modes/heap.c uses them.
 */
#ifndef HEAP_BPF_H
#define HEAP_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "blocks.bpf.h"
#include "calls.bpf.h"
#include "config.bpf.h"
#include "counters.bpf.h"
#include "mappings.bpf.h"
#include "probe.bpf.h"
#include "pymemtop.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

SEC("uprobe")
int pymemtop_enter(struct pt_regs *ctx)
{
	struct probe probe;
	struct thread *t = probe__enter(ctx, &probe);

	if (!t)
		return 0;
	if (probe.kind < PROBE_MADVISE)
		call__enter(ctx, t, probe.kind);
	else
		probe__attribute(ctx, t, probe);
	return 0;
}

/* Runs at the return of every function that has a result. */
SEC("uretprobe")
int pymemtop_leave(struct pt_regs *ctx)
{
	struct thread *t = probe__leave(ctx);
	struct call *call;
	__u64 made;
	__u32 site;

	if (!t)
		return 0;
	call = &t->call;
	/* Keep it in memory, so that the rest looks the same to the verifier on every path to here,
	 * and is followed once. */
	*(volatile __u64 *)&call->made = call__is_of_block(call)
						 ? leave_block_call(t, call, PT_REGS_RC(ctx))
						 : leave_map_call(t, call, PT_REGS_RC(ctx));
	made = *(volatile __u64 *)&call->made;
	if (!made)
		return 0;
	site = site__current(t);
	if (!site)
		return 0;
	if (!call__is_of_block(call))
		mappings__add(call->made, call->made + page_up(call->size), t->process.id, site);
	else if (block__put(t->process.id, call->made, block__pack(site, call->size)))
		site__allocate(t->process.id, site, call->size, 1);
	return 0;
}

#endif /* HEAP_BPF_H */
