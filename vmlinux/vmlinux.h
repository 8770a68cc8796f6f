/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel types that the BPF programs touch, and of those only the members
 * that they read: CO-RE finds where the running kernel has them. The constants
 * come from the UAPI headers.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Before 6.2, counts of which a task may hold back some of its own. */
struct mm_rss_stat {
	struct {
		__s64 counter;
	} count[4];
};

struct bpf_array {
	void *pptrs[1];
};

struct percpu_counter {
	__s64 count;
	__s32 *counters;
};

struct mm_struct {
	unsigned long brk;
	unsigned long def_flags;
	struct percpu_counter rss_stat[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat rss_stat;
};

struct vm_area_struct {
	struct mm_struct *vm_mm;
};

struct thread_struct {
#if defined(__TARGET_ARCH_x86)
	unsigned long fsbase;
#elif defined(__TARGET_ARCH_arm64)
	struct {
		unsigned long tp_value;
	} uw;
#endif
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct cred {
	struct {
		unsigned int val;
	} euid, egid;
	struct {
		__u64 val;
	} cap_effective;
};

struct task_rss_stat {
	int count[4];
};

struct task_struct___before_6_2 {
	struct task_rss_stat rss_stat;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
};

struct file {
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	const struct cred *cred;
	__u64 start_boottime;
	char comm[16];
	struct thread_struct thread;
	struct files_struct *files;
};

#pragma clang attribute pop

/* What a uprobe's program gets; its layout is ABI (asm/ptrace.h). */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	__u64 orig_x0;
};
#endif

#endif /* __VMLINUX_H__ */
