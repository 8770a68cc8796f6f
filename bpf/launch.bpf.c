// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Holds a program started by pymemtop, and what it starts, at two moments before their own code
 * runs: at each exec, and at the entry point, when the dynamic loader has mapped all libraries.
 * They are our own children and theirs, so SIGSTOP and SIGCONT reach nobody else.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pymemtop.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SIGSTOP 19

/* By tgid: the program, and its descendants. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32);
	__type(value, __u8);
} family SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} held SEC(".maps");

static __always_inline void hold(enum held_at where)
{
	struct held_record record = {.pid = bpf_get_current_pid_tgid() >> 32, .where = where};

	if (!bpf_map_lookup_elem(&family, &record.pid))
		return;
	/* Without the record, nobody would continue it. */
	if (!bpf_ringbuf_output(&held, &record, sizeof(record), 0))
		bpf_send_signal(SIGSTOP);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(pymemtop_born, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = BPF_CORE_READ(parent, tgid), to = BPF_CORE_READ(child, tgid);
	__u8 member = 1;

	if (from != to && bpf_map_lookup_elem(&family, &from))
		bpf_map_update_elem(&family, &to, &member, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pymemtop_gone, struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);

	if (!BPF_CORE_READ(task, signal, live.counter))
		bpf_map_delete_elem(&family, &tgid);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pymemtop_held)
{
	hold(HELD_AT_EXEC);
	return 0;
}

SEC("uprobe")
int pymemtop_entry(void *ctx)
{
	(void)ctx;
	hold(HELD_AT_ENTRY);
	return 0;
}
