/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tells which probe a program runs for. */
#ifndef PROBE_BPF_H
#define PROBE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "code.bpf.h"
#include "config.bpf.h"
#include "frames.bpf.h"
#include "markers.bpf.h"
#include "process.bpf.h"
#include "pymemtop.h"
#include "thread.bpf.h"

/* By process.image. Resized to the targets at the start and some more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_table);
} probe_tables SEC(".maps");

/* Empty: no program is ever called through it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nowhere SEC(".maps");

/*
 * Since 6.13, x86 gives a program with frames of 64 bytes or more a private stack per CPU, assuming
 * that no such program runs twice at once on a CPU (bpf_enable_priv_stack() in
 * kernel/bpf/verifier.c). But a uprobe's program can be preempted, and nothing keeps it from
 * running in another thread meanwhile (bpf_prog_run_array_uprobe()): both would use one stack. A
 * program with a tail call gets no private stack, though the call is never reached and the verifier
 * removes it. See doc/kernel-faults.md.
 */
static __always_inline void probe__keep_own_stack(struct pt_regs *ctx)
{
	if (config.never)
		bpf_tail_call(ctx, &nowhere, 0);
}

struct probe {
	enum probe_kind kind;
	__u32 marker; /* index of its marker_site */
};

static __always_inline struct probe probe__find(struct pt_regs *ctx, const struct thread *t)
{
	const struct probe_table *table = bpf_map_lookup_elem(&probe_tables, &t->process.image);
	struct probe probe = {PROBE_NONE, 0};
	const struct probe_slots *slots;
	__u32 slot;

	if (table) {
		slots = &table->of[table->current & 1];
		slot = PROBE_SLOT(PT_REGS_IP(ctx), slots->multiplier) & (PROBE_SLOTS - 1);
		probe.kind = slots->kind[slot];
		probe.marker = slots->marker[slot];
	}
	return probe;
}

/* Returns the thread that hit a probe, and which probe it is. NULL if it is not recorded. */
static __always_inline struct thread *probe__enter(struct pt_regs *ctx, struct probe *probe)
{
	struct thread *t;

	probe__keep_own_stack(ctx);
	t = config.idle ? NULL : thread__current();
	if (t)
		*probe = probe__find(ctx, t);
	return t;
}

/* The thread whose outermost call ends with this return. NULL for any other return. */
static __always_inline struct thread *probe__leave(struct pt_regs *ctx)
{
	struct thread *t;

	probe__keep_own_stack(ctx);
	t = config.idle ? NULL : thread__find();
	if (!t || !t->call.sp || PT_REGS_SP(ctx) != SP_AFTER_RETURN(t->call.sp))
		return NULL;
	t->call.sp = 0;
	return t;
}

/* Handles the probes that attribution needs, in any mode. */
static __always_inline void probe__attribute(struct pt_regs *ctx, struct thread *t,
					     struct probe probe)
{
	if (probe.kind == PROBE_CODE_DEALLOC)
		code__forget(t->process.id, PT_REGS_PARM1(ctx));
	else if (probe.kind == PROBE_FINALIZE)
		process__finish();
	else if (probe.kind == PROBE_SWAP)
		tstate__swap(t, PT_REGS_PARM1(ctx));
	else if (probe.kind == PROBE_LOADED)
		process__tell_loaded(t);
	else if (config.use_markers)
		marker__take(ctx, t, probe.kind, probe.marker);
}

#endif /* PROBE_BPF_H */
