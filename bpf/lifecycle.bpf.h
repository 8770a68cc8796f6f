/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Follows targets through forks, exec and exit. */
#ifndef LIFECYCLE_BPF_H
#define LIFECYCLE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "counters.bpf.h"
#include "markers.bpf.h"
#include "numbers.bpf.h"
#include "process.bpf.h"
#include "pymemtop.h"
#include "rss_counters.bpf.h"
#include "thread.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_PROCESSES);
	__type(value, __u32);
} free_processes SEC(".maps");

static __always_inline void process__fork(struct task_struct *parent, struct task_struct *child,
					  bool again)
{
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid), tgid = BPF_CORE_READ(child, tgid);
	struct process process, *known;
	struct process_counters *counters;

	if (tgid == parent_tgid || (again && bpf_map_lookup_elem(&processes, &tgid)))
		return;
	known = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!known)
		return;
	process = *known;
	if (config.is_second) {
		if (config.use_markers && config.follow_children)
			marker_stack__inherit(parent, child);
		return;
	}
	if (BPF_CORE_READ(parent, mm) == BPF_CORE_READ(child, mm))
		goto add; /* vfork(): the same heap until the child executes something */
	if (!config.follow_children)
		return;
	process.id = number__take(&free_processes);
	counters = bpf_map_lookup_elem(&process_counters, &process.id);
	if (!process.id || !counters) {
		lose(known->id, LOST_PROCESS);
		return;
	}
	BPF_CORE_READ_INTO(&counters->comm, parent, comm);
	counters->parent = process.parent = known->id;
	counters->state = PROCESS_RUNNING;
	counters->pid = tgid;
	if (config.use_markers)
		marker_stack__inherit(parent, child);
	process__tell(process.id, tgid, PROCESS_HAS_FORKED, known->id);
add:
	if (bpf_map_update_elem(&processes, &tgid, &process, BPF_ANY))
		lose(known->id, LOST_PROCESS);
}

/* Runs in the parent, before the child does. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(pymemtop_fork, struct task_struct *parent, struct task_struct *child)
{
	process__fork(parent, child, false);
	return 0;
}

/*
 * From 7.0 on a program at a tracepoint can be preempted, and the kernel skips it for all others
 * that meet the tracepoint on that CPU until it has gone on (__bpf_trace_run() in
 * kernel/trace/bpf_trace.c). Then this one, which runs after it, records the child.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(pymemtop_refork, struct task_struct *parent, struct task_struct *child)
{
	process__fork(parent, child, true);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pymemtop_exec, struct task_struct *task)
{
	__u32 id = config.is_second ? 0 : process__end(task, PROCESS_EXECED, 0);

	if (config.watch_execs || (id && config.follow_execs))
		process__tell(id, BPF_CORE_READ(task, tgid), PROCESS_HAS_EXECUTED, 0);
	thread__forget(task);
	if (config.use_markers)
		marker_stack__forget(task);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pymemtop_exit, struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);

	/* The kernel frees task storage itself. */
	bpf_map_delete_elem(&thread_table, &tid);
	if (config.use_markers)
		bpf_map_delete_elem(&marker_table, &tid);
	/* The last thread: do_exit() has already decremented live. */
	if (!config.is_second && !BPF_CORE_READ(task, signal, live.counter))
		process__end(task, PROCESS_EXITED, rss__pages(MM_ANONPAGES) << PAGE_SHIFT);
	return 0;
}

#endif /* LIFECYCLE_BPF_H */
