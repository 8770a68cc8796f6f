/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Allocator calls, from entry to return. One call may pass through another probed function
 * (realloc(NULL, n) enters malloc, a large malloc calls mmap): only the outermost counts. Its stack
 * pointer identifies its return, so inner returns cost one compare.
 */
#ifndef CALLS_BPF_H
#define CALLS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "blocks.bpf.h"
#include "counters.bpf.h"
#include "frames.bpf.h"
#include "mappings.bpf.h"
#include "pymemtop.h"
#include "thread.bpf.h"

/* asm-generic/mman-common.h, linux/mman.h */
#define PROT_WRITE    0x2
#define MAP_FIXED     0x10
#define MAP_SHARED    0x01
#define MAP_ANONYMOUS 0x20

/* s_magic of tmpfs, where memfd_create() and /dev/shm have their files (linux/magic.h) */
#define TMPFS_MAGIC 0x01021994

/* Whether the current process's file of that number is memory that can be shared, and is on no
 * disk. Global, so that the verifier follows it once. */
__noinline int file__is_memory(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd), *file = NULL;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(task, files, fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return 0;
	return BPF_CORE_READ(file, f_inode, i_sb, s_magic) == TMPFS_MAGIC;
}

/* Calls nested in one call. If there are more, we must have missed its return. */
#define MAX_NESTED 256

static __always_inline bool call__is_nested(struct pt_regs *ctx, struct thread *t)
{
	__u64 sp = PT_REGS_SP(ctx);

	if (!t->call.sp)
		return false;
	/* The same stack pointer at another probe: a tail call. */
	if ((sp < t->call.sp || (sp == t->call.sp && PT_REGS_IP(ctx) != t->call.ip)) &&
	    t->call.nested++ < MAX_NESTED)
		return true;
	lose(t->process.id, LOST_CALL);
	t->call.sp = 0;
	return false;
}

/* The call is the outermost: wait for its return. */
static __always_inline void call__begin(struct pt_regs *ctx, struct thread *t, enum probe_kind kind,
					__u64 size)
{
	t->call.sp = PT_REGS_SP(ctx);
	t->call.ip = PT_REGS_IP(ctx);
	t->call.kind = kind;
	t->call.nested = 0;
	t->call.uncounted = 0;
	t->call.old = 0;
	t->call.size = size;
}

/* No need to wait for the return: until free() runs, the block still belongs to the caller. */
static __always_inline void enter_free(struct thread *t, __u64 address)
{
	__u64 block;

	if (!address)
		return;
	tstate__forget_if_freed(t, address);
	block = block__take(t->process.id, address);
	if (block)
		site__free(t->process.id, block__site(block), block__size(block), 1);
}

/* Remove the old block at the entry: once realloc() has freed it, another thread may get its
 * address before we see the return. */
static __always_inline void enter_realloc(struct thread *t, __u64 old)
{
	t->call.address = old;
	t->call.old = old ? block__take(t->process.id, old) : 0;
}

/* Only writable mappings of anonymous or shared memory are counted. Any other one may still replace
 * counted pages, if it is MAP_FIXED. */
static __always_inline void enter_mmap(struct pt_regs *ctx, struct thread *t)
{
	__u64 protection = PT_REGS_PARM3(ctx), flags = PT_REGS_PARM4(ctx);
	bool counted = (protection & PROT_WRITE) &&
		       ((flags & MAP_ANONYMOUS) ||
			((flags & MAP_SHARED) && file__is_memory(PT_REGS_PARM5(ctx))));

	if (!counted && !(flags & MAP_FIXED))
		return;
	call__begin(ctx, t, PROBE_MMAP, PT_REGS_PARM2(ctx));
	t->call.uncounted = !counted;
}

/* Remove the pages at the entry: others may get them before we see the return. Ignore arguments
 * that the kernel will refuse. */
static __always_inline void enter_munmap(struct pt_regs *ctx, struct thread *t)
{
	__u64 address = PT_REGS_PARM1(ctx), length = PT_REGS_PARM2(ctx);

	if (!is_range(address, length))
		return;
	call__begin(ctx, t, PROBE_MUNMAP, length);
	mappings__clear(address, address + page_up(length), t->process.id, 0);
}

static __always_inline void enter_mremap(struct pt_regs *ctx, struct thread *t)
{
	call__begin(ctx, t, PROBE_MREMAP, PT_REGS_PARM3(ctx));
	t->call.address = PT_REGS_PARM1(ctx);
	t->call.old_size = PT_REGS_PARM2(ctx);
	t->call.old = mapping__at(t->process.id, t->call.address);
}

/* On overflow the call will fail, so return any size but 0, which would make it a free(). */
static __always_inline __u64 product(__u64 count, __u64 size)
{
	__u64 most;

	if (!((count | size) >> 32) || !count)
		return count * size;
	most = ~0ULL / count;
	barrier_var(most); /* or clang makes it a 128-bit multiplication */
	return size > most ? ~0ULL : count * size;
}

/* Entry of an allocator function. */
static __always_inline void call__enter(struct pt_regs *ctx, struct thread *t, enum probe_kind kind)
{
	__u64 first = PT_REGS_PARM1(ctx), second = PT_REGS_PARM2(ctx);

	if (call__is_nested(ctx, t))
		return;
	switch (kind) {
	case PROBE_FREE:
		enter_free(t, first);
		break;
	case PROBE_MALLOC:
		call__begin(ctx, t, kind, first);
		break;
	case PROBE_MEMALIGN:
		call__begin(ctx, t, kind, second);
		break;
	case PROBE_CALLOC:
		call__begin(ctx, t, kind, product(first, second));
		break;
	case PROBE_REALLOC:
		call__begin(ctx, t, kind, second);
		enter_realloc(t, first);
		break;
	case PROBE_REALLOCARRAY:
		call__begin(ctx, t, kind, product(second, PT_REGS_PARM3(ctx)));
		enter_realloc(t, first);
		break;
	case PROBE_POSIX_MEMALIGN:
		call__begin(ctx, t, kind, PT_REGS_PARM3(ctx));
		t->call.address = first;
		break;
	case PROBE_MMAP:
		enter_mmap(ctx, t);
		break;
	case PROBE_MUNMAP:
		enter_munmap(ctx, t);
		break;
	case PROBE_MREMAP:
		enter_mremap(ctx, t);
		break;
	default:
		break;
	}
}

static __always_inline bool call__is_of_block(const struct call *call)
{
	return call->kind < PROBE_MMAP;
}

/* The block that the call made; 0 if it failed or made none. */
static __always_inline __u64 leave_block_call(struct thread *t, struct call *call, __u64 result)
{
	__u64 address = 0;

	if (call->kind == PROBE_POSIX_MEMALIGN) {
		if ((int)result)
			return 0;
		if (!read_user(&address, sizeof(address), call->address))
			lose(t->process.id, LOST_CALL);
		return address;
	}
	if (!call->old)
		return result;
	if (!result && call->size)
		/* realloc() failed: the old block stays. */
		block__put(t->process.id, call->address, call->old);
	else
		site__free(t->process.id, block__site(call->old), block__size(call->old), 1);
	call->old = 0;
	return result;
}

/* The mapping that the call made; 0 if it failed or made none to count. */
static __always_inline __u64 leave_map_call(struct thread *t, struct call *call, __u64 result)
{
	__u32 old = call->old;

	call->old = 0;
	if (is_error(result)) {
		if (call->kind == PROBE_MUNMAP)
			lose(t->process.id, LOST_UNMAP);
		return 0;
	}
	if (call->kind == PROBE_MMAP) {
		if (!call->uncounted)
			return result;
		mappings__clear(result, result + page_up(call->size), t->process.id, 0);
		return 0;
	}
	/* An unknown mapping is older than the attach, or a file's. */
	if (call->kind == PROBE_MUNMAP || !old)
		return 0;
	mappings__clear(call->address, call->address + page_up(call->old_size), t->process.id, old);
	return result;
}

#endif /* CALLS_BPF_H */
