// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Heap mode: which site's allocations are not freed yet. A program for each
 * shape of arguments that libc's allocator functions have; user/heap.c says
 * which function gets which, and where in it the probe sits.
 *
 * One call may pass through another probed function (realloc(NULL, n) enters
 * malloc, a large malloc calls mmap): only the outermost counts. A call is known
 * again at its return by the stack pointer, so inner returns cost one compare.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pymemtop.h"
#include "blocks.bpf.h"
#include "books.bpf.h"
#include "code.bpf.h"
#include "frames.bpf.h"
#include "lifecycle.bpf.h"
#include "mappings.bpf.h"
#include "markers.bpf.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* asm-generic/mman-common.h, linux/mman.h */
#define PROT_WRITE	0x2
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20

/* Calls inside one call; more of them, and its return must have been missed. */
#define MAX_NESTED	256

enum call_kind {
	CALL_NONE,
	CALL_SIZE,
	CALL_ALIGNED,
	CALL_COUNTED,
	CALL_REALLOC,
	CALL_REALLOC_COUNTED,
	CALL_POSIX,
	CALL_MMAP,
	CALL_MMAP_UNBOOKED,
	CALL_MUNMAP,
	CALL_MREMAP,
};

static __always_inline bool call__is_nested(struct thread *t, __u64 sp, enum call_kind kind)
{
	if (!t->call.sp)
		return false;
	/* The same stack pointer in another function: a tail call. */
	if ((sp < t->call.sp || (sp == t->call.sp && kind != t->call.kind)) &&
	    t->call.nested++ < MAX_NESTED)
		return true;
	lose(t->process.id, LOST_CALL);
	t->call.sp = 0;
	return false;
}

/* NULL where the call is inside another. */
static __always_inline struct call *call__begin(struct pt_regs *ctx, struct thread *t,
						enum call_kind kind)
{
	__u64 sp = PT_REGS_SP(ctx);

	if (call__is_nested(t, sp, kind))
		return NULL;
	t->call.sp = sp;
	t->call.kind = kind;
	t->call.nested = 0;
	return &t->call;
}

static __always_inline int begin_sized(struct pt_regs *ctx, enum call_kind kind, __u64 size)
{
	struct thread *t = thread__current();
	struct call *call = t ? call__begin(ctx, t, kind) : NULL;

	if (call)
		call->size = size;
	return 0;
}

/* malloc, valloc, pvalloc */
SEC("uprobe")
int BPF_KPROBE(allocate, __u64 size)
{
	return begin_sized(ctx, CALL_SIZE, size);
}

/* memalign, aligned_alloc */
SEC("uprobe")
int BPF_KPROBE(allocate_aligned, __u64 alignment, __u64 size)
{
	return begin_sized(ctx, CALL_ALIGNED, size);
}

/* calloc; where the product overflows, it fails */
SEC("uprobe")
int BPF_KPROBE(allocate_counted, __u64 count, __u64 size)
{
	return begin_sized(ctx, CALL_COUNTED, count * size);
}

SEC("uprobe")
int BPF_KPROBE(allocate_posix, __u64 result, __u64 alignment, __u64 size)
{
	struct thread *t = thread__current();
	struct call *call = t ? call__begin(ctx, t, CALL_POSIX) : NULL;

	if (call) {
		call->size = size;
		call->address = result;
	}
	return 0;
}

/* The old block leaves the books at the entry: once it is freed inside, another
 * thread may get its address before we see the return. */
static __always_inline int begin_realloc(struct pt_regs *ctx, enum call_kind kind, __u64 old,
					 __u64 size)
{
	struct thread *t = thread__current();
	struct call *call = t ? call__begin(ctx, t, kind) : NULL;

	if (call) {
		call->size = size;
		call->address = old;
		call->old = old ? block__take(t->process.id, old) : 0;
	}
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(reallocate, __u64 old, __u64 size)
{
	return begin_realloc(ctx, CALL_REALLOC, old, size);
}

/* reallocarray */
SEC("uprobe")
int BPF_KPROBE(reallocate_counted, __u64 old, __u64 count, __u64 size)
{
	return begin_realloc(ctx, CALL_REALLOC_COUNTED, old, count * size);
}

/* free, cfree. Nothing to wait for: the block is ours until free() runs. */
SEC("uprobe")
int BPF_KPROBE(release, __u64 address)
{
	struct thread *t;
	__u64 block;

	if (!address)
		return 0;
	t = thread__current();
	if (!t || call__is_nested(t, PT_REGS_SP(ctx), CALL_NONE))
		return 0;
	tstate__forget_if_freed(t, address);
	block = block__take(t->process.id, address);
	if (block)
		site__free(block__site(block), block__size(block));
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(map, __u64 address, __u64 length, int protection, int flags)
{
	if ((flags & MAP_ANONYMOUS) && (protection & PROT_WRITE))
		return begin_sized(ctx, CALL_MMAP, length);
	if (flags & MAP_FIXED)
		return begin_sized(ctx, CALL_MMAP_UNBOOKED, length);
	return 0;
}

static __always_inline __u64 page_up(__u64 size)
{
	return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Taken off the books at the entry, as others can get the pages before we see
 * the return; what the kernel refuses for its arguments is let pass. */
SEC("uprobe")
int BPF_KPROBE(unmap, __u64 address, __u64 length)
{
	struct thread *t;
	struct call *call;

	if (!length || address & (PAGE_SIZE - 1))
		return 0;
	t = thread__current();
	call = t ? call__begin(ctx, t, CALL_MUNMAP) : NULL;
	if (call)
		mappings__clear(address, address + page_up(length), t->process.id, 0);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(remap, __u64 address, __u64 old_length, __u64 length)
{
	struct thread *t = thread__current();
	struct call *call = t ? call__begin(ctx, t, CALL_MREMAP) : NULL;

	if (call) {
		call->size = length;
		call->address = address;
		call->old_size = old_length;
		call->old = mapping__at(t->process.id, address);
	}
	return 0;
}

static __always_inline bool is_error(__u64 result)
{
	return result >= -4095ULL;
}

/* The block that the call made, 0 where it failed or made none. */
static __always_inline __u64 end_of_block_call(struct thread *t, struct call *call, __u64 result)
{
	__u64 address = 0;

	if (call->kind == CALL_POSIX) {
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
		site__free(block__site(call->old), block__size(call->old));
	call->old = 0;
	return result;
}

/* The mapping that the call made, 0 where it failed or made none to book. */
static __always_inline __u64 end_of_map_call(struct thread *t, struct call *call, __u64 result)
{
	__u64 start, end;
	__u32 only;

	if (is_error(result)) {
		if (call->kind == CALL_MUNMAP)
			lose(t->process.id, LOST_UNMAP);
		return 0;
	}
	if (call->kind == CALL_MMAP)
		return result;
	if (call->kind == CALL_MUNMAP)
		return 0;
	/* A mapping that we do not know is older than the attach, or a file's. */
	if (call->kind == CALL_MREMAP && !call->old)
		return 0;
	start = call->kind == CALL_MREMAP ? call->address : result;
	end = start + page_up(call->kind == CALL_MREMAP ? call->old_size : call->size);
	only = call->kind == CALL_MREMAP ? call->old : 0;
	mappings__clear(start, end, t->process.id, only);
	return call->kind == CALL_MREMAP ? result : 0;
}

static __always_inline bool call__is_of_block(const struct call *call)
{
	return call->kind <= CALL_POSIX;
}

/* The return of every function that has a result. */
SEC("uretprobe")
int BPF_KRETPROBE(call_return, __u64 result)
{
	struct thread *t = thread__find();
	struct call *call;
	__u32 site;

	if (!t || !t->call.sp || PT_REGS_SP(ctx) != SP_AFTER_RETURN(t->call.sp))
		return 0;
	call = &t->call;
	call->sp = 0;
	/* Kept in memory, so that what follows looks the same to the verifier by
	 * whichever path it comes there, and is followed once. */
	*(volatile __u64 *)&call->made = call__is_of_block(call) ?
		end_of_block_call(t, call, result) : end_of_map_call(t, call, result);
	if (!*(volatile __u64 *)&call->made)
		return 0;
	site = site__current(t);
	if (!site)
		return 0;
	if (!call__is_of_block(call))
		mappings__add(call->made, call->made + page_up(call->size), t->process.id, site);
	else if (block__put(t->process.id, call->made, block__pack(site, call->size)))
		site__allocate(site, call->size);
	return 0;
}

/* CPython's code_dealloc(), found through PyCode_Type.tp_dealloc. */
SEC("uprobe")
int BPF_KPROBE(code_freed, __u64 code)
{
	struct thread *t = thread__current();

	if (t)
		code__forget(t->process.id, code);
	return 0;
}
