// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Holds a program started by pymemtop at two moments before its own code runs: at each exec, and at
 * its entry point, when the dynamic loader has mapped all libraries. It is our own child, so
 * SIGSTOP and SIGCONT reach nobody else.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SIGSTOP 19

int child = 0; /* its pid */

static __always_inline void hold_child(void)
{
	if (bpf_get_current_pid_tgid() >> 32 == (__u32)child)
		bpf_send_signal(SIGSTOP);
}

SEC("tp_btf/sched_process_exec")
int pymemtop_held(void *ctx)
{
	(void)ctx;
	hold_child();
	return 0;
}

SEC("uprobe")
int pymemtop_entry(void *ctx)
{
	(void)ctx;
	hold_child();
	return 0;
}
