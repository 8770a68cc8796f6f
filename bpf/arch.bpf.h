/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Architecture-dependent code, and nothing else. */
#ifndef ARCH_BPF_H
#define ARCH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#if defined(__TARGET_ARCH_x86)

/* A call pushes its return address; ret has popped it. */
#define SP_AFTER_RETURN(sp) ((sp) + 8)

/* Whether a page fault was a write (X86_PF_WRITE, asm/trap_pf.h). */
#define FAULT_IS_WRITE(error_code) ((error_code)&2)

/* Whether the last comparison found equality (X86_EFLAGS_ZF, asm/processor-flags.h). */
#define IS_EQUAL(ctx) ((ctx)->flags & 0x40)

#elif defined(__TARGET_ARCH_arm64)

#define SP_AFTER_RETURN(sp)	   (sp)

/* ESR_ELx_WNR, asm/esr.h */
#define FAULT_IS_WRITE(error_code) ((error_code)&64)

/* PSR_Z_BIT, asm/ptrace.h */
#define IS_EQUAL(ctx)		   (((const struct user_pt_regs *)(ctx))->pstate & 0x40000000)

#else
#error "unsupported architecture"
#endif

/* A word of ctx. The verifier takes only constant offsets from ctx, and the barrier keeps the
 * compiler from making one load of all of them. A helper would cost 25 ns. */
#define WORD_OF(ctx, n)                            \
	case n:                                    \
		value = ((const __u64 *)(ctx))[n]; \
		barrier_var(value);                \
		break

/* The value of a register, by its word in struct pt_regs (struct user_pt_regs on arm64). */
static __always_inline __u64 register_word(const struct pt_regs *ctx, __u32 word)
{
	__u64 value = 0;

	switch (word) {
		WORD_OF(ctx, 0);
		WORD_OF(ctx, 1);
		WORD_OF(ctx, 2);
		WORD_OF(ctx, 3);
		WORD_OF(ctx, 4);
		WORD_OF(ctx, 5);
		WORD_OF(ctx, 6);
		WORD_OF(ctx, 7);
		WORD_OF(ctx, 8);
		WORD_OF(ctx, 9);
		WORD_OF(ctx, 10);
		WORD_OF(ctx, 11);
		WORD_OF(ctx, 12);
		WORD_OF(ctx, 13);
		WORD_OF(ctx, 14);
#if defined(__TARGET_ARCH_arm64)
		WORD_OF(ctx, 15);
		WORD_OF(ctx, 16);
		WORD_OF(ctx, 17);
		WORD_OF(ctx, 18);
		WORD_OF(ctx, 19);
		WORD_OF(ctx, 20);
		WORD_OF(ctx, 21);
		WORD_OF(ctx, 22);
		WORD_OF(ctx, 23);
		WORD_OF(ctx, 24);
		WORD_OF(ctx, 25);
		WORD_OF(ctx, 26);
		WORD_OF(ctx, 27);
		WORD_OF(ctx, 28);
#endif
	}
	return value;
}

/*
 * The thread pointer. arch_prctl(ARCH_SET_FS) and clone(CLONE_SETTLS) write the kernel's copy
 * (arch/x86/kernel/process_64.c; on arm64 a switch away from the task saves it), so it is valid for
 * the running task too. On x86 it equals pthread_self(), which CPython keeps as thread_id; on arm64
 * pthread_self() is one struct pthread below it.
 */
static __always_inline __u64 thread_pointer(const struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread.fsbase);
#else
	return BPF_CORE_READ(task, thread.uw.tp_value);
#endif
}

#endif /* ARCH_BPF_H */
