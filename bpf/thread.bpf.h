/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is kept for each thread, and how to find the current thread's. */
#ifndef THREAD_BPF_H
#define THREAD_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "arch.bpf.h"
#include "config.bpf.h"
#include "counters.bpf.h"
#include "elements.bpf.h"
#include "pymemtop.h"

/* The outermost allocator call that the thread is in. */
struct call {
	__u64 sp; /* at its entry; 0: not in a call */
	__u64 ip; /* of its probe */
	__u64 size;
	__u64 address;	 /* realloc: the old block; posix_memalign: where the result goes */
	__u64 old;	 /* realloc: the old block, packed; mremap: the old mapping */
	__u64 old_size;	 /* mremap */
	__u64 made;	 /* at the return: the new block's or mapping's address */
	__u32 kind;	 /* enum probe_kind */
	__u16 nested;	 /* calls inside it so far */
	__u16 uncounted; /* mmap of pages that are not counted, but replace counted ones */
};

/* What remains of a move of pages by mremap(). */
struct page_move {
	__u64 from;
	__u64 end;
	__u64 to;
};

/* How much of the interpreter's stack is read at once: some ten frames of 3.11. */
#define WINDOW_SIZE 2048

/* lines: where the running function is. Known from 3.11 on, where it is needed. */
struct running {
	__u64 code;
	__s32 at;    /* byte offset in its instructions */
	__s32 first; /* of the first instruction with a line: RESUME */
};

struct thread {
	struct process process;
	struct call call;
	struct page_move move;
	struct running running;
	__u64 pointer;		/* its pthread_self(): tstate->thread_id */
	__u64 tstate;		/* 0: not known */
	__u64 freed_tstate;	/* the last thread state that it freed */
	__u64 swapped;		/* the state it took on, of another thread's making; 0: none */
	__u64 swapped_id;	/* ... and the maker's pthread_self() */
	__u64 stateless_at;	/* interpreter's count of thread states when none was ours */
	__u64 next_frame;	/* the walk's next step */
	__u64 waiter_frame;	/* of the thread that waits for this one, which has no Python */
	__u64 waiter_is_likely; /* ... as it had the GIL last; else there is no other */
	__u64 window_start;	/* what the window holds, in the target's memory */
	__u64 window_end;
	__u64 far_frame;  /* the last frame read on its own */
	__u32 frame_at;	  /* where the frame read last is in the window */
	__u64 next_state; /* the next steps of a search for the thread's state */
	__u64 next_interp;
	__u64 untaken_state; /* a state without a thread, seen in that search */
	__u64 hash;	     /* of the stack below */
	__u64 site_hash;     /* the last site's, to recognise it without a lookup */
	__u32 site;
	__u32 holds_gil; /* for sure, at this probe */
	__u32 in_fault;	 /* rss: a page fault of this thread is being recorded */
	__u32 untaken;	 /* rss: new pages passed over since the last one taken, + 1 */
	__u64 scratch[SCRATCH_SIZE / 8];
	__u8 window[WINDOW_SIZE + SCRATCH_SIZE]; /* and a frame from elsewhere */
	struct site_record stack;
	struct code_part part;
};

/* Since 6.19 an element of task storage has at most 8 KiB, including its header. */
_Static_assert(sizeof(struct thread) <= 8192 - 128, "struct thread fits into task storage");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} thread_storage SEC(".maps");

/*
 * By thread id, instead of task storage on older kernels. Up to 6.18 also for a thread whose
 * element could not be made, because another thread was preempted on the same CPU while it was at
 * its own (bpf_task_storage_trylock() in kernel/bpf/bpf_task_storage.c).
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, struct thread);
} thread_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread);
} thread_blank SEC(".maps");

/* By tgid: the recorded processes. A vfork() child has its parent's value. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

static __always_inline bool is_error(__u64 result)
{
	return result >= -4095ULL;
}

static __always_inline struct thread *thread__find(void)
{
	struct thread *t = NULL;
	__u32 tid;

	if (config.has_task_storage)
		t = bpf_task_storage_get(&thread_storage, bpf_get_current_task_btf(), NULL, 0);
	if (t)
		return t;
	tid = (__u32)bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&thread_table, &tid);
}

static __noinline struct thread *thread__new(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, tid = (__u32)id;
	const struct process *process;
	struct thread *t = NULL;

	process = bpf_map_lookup_elem(&processes, &tgid);
	if (!process)
		return NULL;
	if (config.has_task_storage)
		t = bpf_task_storage_get(&thread_storage, bpf_get_current_task_btf(), NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t)
		t = element__make(&thread_table, &tid, &thread_blank);
	if (!t) {
		lose(process->id, LOST_THREAD);
		return NULL;
	}
	t->process = *process;
	t->pointer = thread_pointer((void *)bpf_get_current_task()) - process->thread_size;
	return t;
}

/* Stops recording the task, which has executed another program. id 0 says so even if the element
 * cannot be deleted just now. */
static __always_inline void thread__forget(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	struct thread *t;

	bpf_map_delete_elem(&thread_table, &tid);
	if (!config.has_task_storage)
		return;
	t = bpf_task_storage_get(&thread_storage, task, NULL, 0);
	if (t) {
		t->process.id = 0;
		bpf_task_storage_delete(&thread_storage, task);
	}
}

/* NULL if the current process is not recorded, or memory is short. */
static __always_inline struct thread *thread__current(void)
{
	struct thread *t = thread__find();

	return t && t->process.id ? t : thread__new();
}

#endif /* THREAD_BPF_H */
