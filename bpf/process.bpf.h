/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of a process's recording, and how user space is told of it. */
#ifndef PROCESS_BPF_H
#define PROCESS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "counters.bpf.h"
#include "pymemtop.h"
#include "rss_counters.bpf.h"
#include "thread.bpf.h"

/* What the keeper reads (user/probes/keeper.h), whatever else user space is busy with. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} fork_ring SEC(".maps");

/* Wakes user space. If the ring is full, user space is awake anyway, and looks for itself. */
static __always_inline void process__tell(__u32 id, __u32 pid, enum process_event event,
					  __u32 parent)
{
	struct process_record record = {
		.record.type = RECORD_PROCESS,
		.record.process = id,
		.pid = pid,
		.event = event,
		.parent = parent,
	};

	bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	if (config.tell_forks)
		bpf_ringbuf_output(&fork_ring, &record, sizeof(record), 0);
}

/* Only the first mode's programs tell. */
static __always_inline void process__tell_loaded(const struct thread *t)
{
	if (!config.is_second)
		process__tell(t->process.id, bpf_get_current_pid_tgid() >> 32, PROCESS_HAS_LOADED,
			      0);
}

/* Returns the process's id, 0 if it was not recorded. */
static __always_inline __u32 process__end(struct task_struct *task, enum process_state state,
					  __u64 anon_bytes)
{
	__u32 tgid = BPF_CORE_READ(task, tgid), id;
	struct process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct process_counters *counters;

	if (!process)
		return 0;
	id = process->id;
	counters = bpf_map_lookup_elem(&process_counters, &process->id);
	/* A vfork() child uses its parent's counters, and must not end them. */
	if (counters && counters->pid == tgid) {
		counters->anon_bytes = anon_bytes;
		counters->uid = BPF_CORE_READ(task, cred, euid.val);
		counters->gid = BPF_CORE_READ(task, cred, egid.val);
		BPF_CORE_READ_INTO(&counters->capabilities, task, cred, cap_effective);
		counters->state = state;
	}
	bpf_map_delete_elem(&processes, &tgid);
	process__tell(id, tgid, PROCESS_HAS_ENDED, 0);
	return id;
}

/*
 * The current process has run its program, and takes the interpreter apart: what its lines hold is
 * as it was until then. While other threads run, the program does. Global, so that the verifier
 * follows it once.
 */
__noinline __attribute__((unused)) int process__finish(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct thread *t = thread__find();

	if (!t || BPF_CORE_READ(task, signal, live.counter) != 1)
		return 0;
	if (!config.is_second)
		process__end(task, PROCESS_EXITED, rss__pages(MM_ANONPAGES) << PAGE_SHIFT);
	t->process.id = 0;
	return 0;
}

#endif /* PROCESS_BPF_H */
