// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Mode rss: which site touched each resident page first.
 *
 * Tracepoints where the kernel begins to handle page faults show those of the program, and those of
 * the kernel on its behalf (read() into a new buffer). perf's software event page-faults counts the
 * same ones. They tell writes from reads. Where they are missing (arm64), handle_mm_fault() is
 * traced. Probes on libc's functions see pages leave, and see those come that are populated without
 * a fault. All these run ahead of what really becomes of a page: user space reconciles the record
 * with that (user/modes/rss_reconcile.c).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "arch.bpf.h"
#include "config.bpf.h"
#include "counters.bpf.h"
#include "lifecycle.bpf.h"
#include "pages.bpf.h"
#include "probe.bpf.h"
#include "pymemtop.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* asm-generic/mman-common.h, asm-generic/mman.h, linux/mman.h */
#define PROT_WRITE	     0x2
#define MAP_PRIVATE	     0x02
#define MAP_FIXED	     0x10
#define MAP_LOCKED	     0x2000
#define MAP_POPULATE	     0x8000
#define MLOCK_ONFAULT	     0x01
#define MADV_DONTNEED	     4
#define MADV_DONTNEED_LOCKED 24

/* linux/mm_types.h, linux/mm.h */
#define FAULT_FLAG_WRITE (1 << 0)
#define VM_LOCKED	 0x2000

/* Picks one of every config.sample new pages, the first at random. */
static __always_inline bool is_sampled(struct thread *t)
{
	if (config.sample <= 1)
		return true;
	if (!t->untaken)
		t->untaken = 1 + bpf_get_prandom_u32() % config.sample;
	if (t->untaken++ < config.sample)
		return false;
	t->untaken = 1;
	return true;
}

/*
 * Whether a fault makes the page belong to its site. A page with an owner keeps it: it is copied
 * after a fork, or only mapped again. But one that was only read becomes the first writer's, and
 * one that a child shares with its parent the child's when it writes to it.
 */
static __always_inline bool page__is_taken_by(const struct thread *t, __u32 owner, bool writes)
{
	if (!owner)
		return true;
	return writes && (owner & PAGE_READ || (owner == PAGE_BEFORE && t->process.parent));
}

/* Notes that a swapped-out page is back, or gives a page its owner. */
static __always_inline void page__touch(struct thread *t, __u64 address, bool writes)
{
	__u64 key = region_key(t->process.id, address >> REGION_SHIFT);
	__u32 at = address >> PAGE_SHIFT & (REGION_PAGES - 1), owner = 0, site;
	struct page_region *region = bpf_map_lookup_elem(&page_regions, &key);

	if (region) {
		owner = region->owner[at];
		if (owner & PAGE_AWAY) {
			region->owner[at] = owner & ~PAGE_AWAY;
			__sync_fetch_and_add(&region->faults, 1);
			owner &= ~PAGE_AWAY;
			pages__come(t->process.id, owner, 1);
		}
	}
	if (!page__is_taken_by(t, owner, writes))
		return;
	if (!is_sampled(t)) {
		/* Another page stands for it. */
		if (region && owner) {
			region->owner[at] = 0;
			pages__go(t->process.id, owner, 1);
		}
		return;
	}
	site = site__find();
	if (!site)
		return;
	/* A page that is only read is a file's, or the zero page, which is no process's own; or of
	 * shared memory, as user space sees. */
	if (!writes)
		site |= PAGE_READ;
	if (!region)
		region = page_region__make(key);
	if (!region) {
		lose(t->process.id, LOST_PAGE);
		return;
	}
	__sync_fetch_and_add(&region->faults, 1);
	/* Another thread may have been first. If both get here at once, the page counts twice. */
	if (region->owner[at] != owner)
		return;
	region->owner[at] = site;
	pages__go(t->process.id, owner, 1);
	pages__come(t->process.id, site, 1);
}

static __always_inline int fault__take(__u64 address, bool writes)
{
	struct thread *t;

	if (config.idle || address >> 56) /* the kernel's own memory */
		return 0;
	t = thread__current();
	if (!t)
		return 0;
	/* The stack walk may fault too: that is not one of the target's. */
	if (t->in_fault)
		return 0;
	t->in_fault = 1;
	page__touch(t, address, writes);
	t->in_fault = 0;
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(pymemtop_ufault, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	return fault__take(address, FAULT_IS_WRITE(error_code));
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(pymemtop_kfault, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	return fault__take(address, FAULT_IS_WRITE(error_code));
}

/*
 * Without those tracepoints: the function that handles a fault. It may be called again for the same
 * fault, which changes nothing, and for another process's memory (process_vm_readv(), ptrace()),
 * which is ignored.
 */
static __always_inline int fault__handle(const struct vm_area_struct *vma, __u64 address,
					 __u32 flags)
{
	const struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(vma, vm_mm) != BPF_CORE_READ(task, mm))
		return 0;
	return fault__take(address, flags & FAULT_FLAG_WRITE);
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(pymemtop_fentry, struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	return fault__handle(vma, address, flags);
}

SEC("kprobe/handle_mm_fault")
int BPF_KPROBE(pymemtop_kprobe, struct vm_area_struct *vma, unsigned long address,
	       unsigned int flags)
{
	return fault__handle(vma, address, flags);
}

/* Ignores arguments that the kernel will refuse. If it refuses for another reason, the next
 * reconciliation finds the pages without an owner. */
static __always_inline void pages__leave(struct thread *t, __u64 address, __u64 length)
{
	if (is_range(address, length))
		pages__clear(address, address + page_up(length), t->process.id);
}

static __always_inline void populate__count_end(struct thread *t)
{
	struct process_counters *counters = bpf_map_lookup_elem(&process_counters, &t->process.id);

	if (counters)
		__sync_fetch_and_add(&counters->populates_ended, 1);
}

/* Gives up a pending call that was left some other way, as by longjmp(). */
static __always_inline void call__abandon(struct thread *t)
{
	if (t->call.sp && t->call.kind != PROBE_MREMAP)
		populate__count_end(t);
	t->call.sp = 0;
}

/*
 * The call makes the whole range resident before anybody touches it. Until it ends, user space must
 * not guess whose these pages are. With sampling the call is ignored, as each sampled page stands
 * for others that were touched.
 */
static __always_inline void populate__begin(struct pt_regs *ctx, struct thread *t, __u32 kind,
					    __u64 address, __u64 length)
{
	struct process_counters *counters;

	if (config.sample > 1)
		return;
	call__abandon(t);
	t->call.sp = PT_REGS_SP(ctx);
	t->call.kind = kind;
	t->call.address = address;
	t->call.size = length;
	counters = bpf_map_lookup_elem(&process_counters, &t->process.id);
	if (counters)
		__sync_fetch_and_add(&counters->populates_begun, 1);
}

/* Pages that are not the process's own lose their owner when they are next reconciled. */
static __always_inline void populate__end(struct thread *t, __u64 result)
{
	bool maps = t->call.kind == PROBE_MMAP, failed = maps ? is_error(result) : (__s32)result;
	__u64 address = maps ? result : t->call.address;
	__u64 start = address & ~(PAGE_SIZE - 1), end = page_up(address + t->call.size);
	__u32 site = 0;

	if (!failed && is_range(start, end - start))
		site = site__find();
	if (site)
		pages__give(start, end, t->process.id, site);
	populate__count_end(t);
}

/* mlockall(MCL_FUTURE) */
static __always_inline bool locks_all(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm, def_flags) & VM_LOCKED;
}

static __always_inline void enter_brk(struct pt_regs *ctx, struct thread *t, __u64 address)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 end = page_up(address), old = page_up(BPF_CORE_READ(task, mm, brk));

	/* brk(0) only asks for the current end. */
	if (end && end < old)
		pages__clear(end, old, t->process.id);
	else if (end > old && locks_all())
		populate__begin(ctx, t, PROBE_BRK, old, end - old);
}

/* Only the return tells the address. */
static __always_inline void enter_mmap(struct pt_regs *ctx, struct thread *t)
{
	__u64 length = PT_REGS_PARM2(ctx), flags = PT_REGS_PARM4(ctx);

	if (flags & MAP_FIXED)
		pages__leave(t, PT_REGS_PARM1(ctx), length);
	if (flags & MAP_PRIVATE && !(PT_REGS_PARM3(ctx) & PROT_WRITE))
		return;
	if (flags & (MAP_POPULATE | MAP_LOCKED) || locks_all())
		populate__begin(ctx, t, PROBE_MMAP, 0, length);
}

/* MADV_FREE does not: the page stays, and counts, until the kernel needs it. */
static __always_inline bool advice_drops(__u64 advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;
}

/* Others may get the pages before the call returns, so they leave at the entry. */
SEC("uprobe")
int pymemtop_enter(struct pt_regs *ctx)
{
	__u64 address = PT_REGS_PARM1(ctx), length = PT_REGS_PARM2(ctx);
	struct probe probe;
	struct thread *t = probe__enter(ctx, &probe);

	if (!t)
		return 0;
	switch (probe.kind) {
	case PROBE_MUNMAP:
		pages__leave(t, address, length);
		break;
	case PROBE_MMAP:
		enter_mmap(ctx, t);
		break;
	case PROBE_MLOCK:
		populate__begin(ctx, t, PROBE_MLOCK, address, length);
		break;
	case PROBE_MLOCK2:
		if (!(PT_REGS_PARM3(ctx) & MLOCK_ONFAULT))
			populate__begin(ctx, t, PROBE_MLOCK, address, length);
		break;
	case PROBE_MADVISE:
		if (advice_drops(PT_REGS_PARM3(ctx)))
			pages__leave(t, address, length);
		break;
	case PROBE_BRK:
		enter_brk(ctx, t, address);
		break;
	case PROBE_MREMAP:
		call__abandon(t);
		t->call.sp = PT_REGS_SP(ctx);
		t->call.kind = PROBE_MREMAP;
		t->call.address = address;
		t->call.old_size = page_up(length);
		t->call.size = page_up(PT_REGS_PARM3(ctx));
		break;
	default:
		probe__attribute(ctx, t, probe);
	}
	return 0;
}

static __always_inline void leave_mremap(struct thread *t, __u64 result)
{
	__u64 old = t->call.address;
	__u64 kept = t->call.size < t->call.old_size ? t->call.size : t->call.old_size;

	pages__leave(t, old + kept, t->call.old_size - kept);
	if (result != old)
		pages__move(t, old, old + kept, result);
}

/* Runs at the return of mremap(), and of calls that make pages resident. */
SEC("uretprobe")
int pymemtop_leave(struct pt_regs *ctx)
{
	struct thread *t = probe__leave(ctx);
	__u64 result = PT_REGS_RC(ctx);

	if (!t)
		return 0;
	if (t->call.kind != PROBE_MREMAP)
		populate__end(t, result);
	else if (!is_error(result))
		leave_mremap(t, result);
	return 0;
}

/* Written by user space before it runs the program below. */
struct page_correction correction;

/* A page's owner after the correction. Flags alone are none. */
static __always_inline __u32 corrected(__u32 owner, __u32 to)
{
	if (!to)
		return 0;
	if (!owner)
		return to & ~PAGE_FLAGS ? to : 0;
	return (owner & ~PAGE_FLAGS) | (to & PAGE_FLAGS);
}

/* Corrects 64 pages, and counts those that then have an owner. The count is in memory, as before
 * 6.2 the verifier follows each possible value. Global, so that the verifier follows this once. */
__noinline int page_word__correct(__u32 word)
{
	__u64 key = correction.key, mask = correction.pages[word & (REGION_PAGES / 64 - 1)];
	struct page_region *region = bpf_map_lookup_elem(&page_regions, &key);
	__u32 process = key >> REGION_KEY_SHIFT, was, is, i, at;

	if (!region)
		return 0;
	for (i = 0; i < 64; i++) {
		at = (word * 64 + i) & (REGION_PAGES - 1);
		was = is = region->owner[at];
		if (mask >> i & 1)
			is = corrected(was, correction.owner);
		*(volatile __u64 *)&correction.owned += is != 0;
		if (was == is)
			continue;
		region->owner[at] = is;
		pages__go(process, was, 1);
		pages__come(process, is, 1);
	}
	return 0;
}

SEC("raw_tp")
int pymemtop_pages(void *ctx)
{
	__u32 to = correction.owner, word;
	__u64 key = correction.key;
	struct page_region *region;

	correction.done = false;
	correction.owned = 0;
	region = to & ~PAGE_FLAGS ? page_region__make(key)
				  : bpf_map_lookup_elem(&page_regions, &key);
	if (!region) {
		if (to & ~PAGE_FLAGS)
			lose(key >> REGION_KEY_SHIFT, LOST_PAGE);
		return 0;
	}
	if (!to && region->faults != correction.faults)
		return 0;
	for (word = 0; word < REGION_PAGES / 64; word++)
		page_word__correct(word);
	if (!*(volatile __u64 *)&correction.owned && region->faults == correction.faults)
		bpf_map_delete_elem(&page_regions, &key);
	correction.done = true;
	return 0;
}
