// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Mode lines: what the resident memory gained and lost while each line ran. At each change that the
 * kernel makes to a process's counters, the line that runs gets the difference.
 *
 * The tracepoint rss_stat comes at each change, whatever its cause: a fault, munmap(), madvise(), a
 * locked mapping. Before 6.2 a task holds pages back that it was given (SPLIT_RSS_COUNTING in
 * mm/memory.c), and the tracepoint tells of up to 64 at once: there, the end of each fault is
 * looked at as well.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "config.bpf.h"
#include "counters.bpf.h"
#include "lifecycle.bpf.h"
#include "probe.bpf.h"
#include "pymemtop.h"
#include "rss_counters.bpf.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* By process id: the pages that lines were charged with, and what there was before, by kind. A
 * difference is taken to these, so that what they add up to is right even where two threads take
 * the same one at once: the next difference is less. */
struct rss_level {
	__u64 pages[MM_SHMEMPAGES + 1];
	__u64 mm;
	__u32 tgid; /* whose it is; another: the id is another process's now */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct rss_level);
} rss_levels SEC(".maps");

static __noinline void level__begin(struct rss_level *level, __u32 tgid, __u64 mm)
{
	level->mm = mm;
	level->pages[MM_FILEPAGES] = rss__pages(MM_FILEPAGES);
	level->pages[MM_ANONPAGES] = rss__pages(MM_ANONPAGES);
	level->pages[MM_SHMEMPAGES] = rss__pages(MM_SHMEMPAGES);
	level->tgid = tgid;
}

static __always_inline void line__charge(const struct rss_level *level, __s64 pages)
{
	__u32 site = site__find();
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);
	__u64 memory = (level->pages[MM_FILEPAGES] + level->pages[MM_ANONPAGES] +
			level->pages[MM_SHMEMPAGES])
		       << PAGE_SHIFT;

	if (!site || !count)
		return;
	__sync_fetch_and_add(&count->allocated_bytes, pages << PAGE_SHIFT);
	count->mapped_bytes = memory;
}

/* Global, so that the verifier follows it once. */
__noinline int level__take(__u32 kind)
{
	__u64 mm = (__u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), mm);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	const struct process_counters *counters;
	struct thread *t = thread__find();
	struct rss_level *level;
	__s64 pages;

	if (!t || kind > MM_SHMEMPAGES)
		return 0;
	counters = bpf_map_lookup_elem(&process_counters, &t->process.id);
	level = bpf_map_lookup_elem(&rss_levels, &t->process.id);
	if (!counters || !level)
		return 0;
	/* A vfork() child has its parent's id, and its memory until it executes something. */
	if (level->tgid != counters->pid) {
		if (tgid == counters->pid)
			level__begin(level, tgid, mm);
		return 0;
	}
	/* exec() makes the new memory before it says that another program runs. */
	if (level->mm != mm)
		return 0;
	pages = rss__pages(kind) - level->pages[kind];
	if (!pages)
		return 0;
	__sync_fetch_and_add(&level->pages[kind], pages);
	line__charge(level, pages);
	return 0;
}

SEC("tp_btf/rss_stat")
int BPF_PROG(pymemtop_rss, struct mm_struct *mm, int kind)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (config.idle || mm != BPF_CORE_READ(task, mm) || !thread__current() ||
	    kind == MM_SWAPENTS)
		return 0;
	return level__take(kind);
}

static __always_inline int fault__end(void)
{
	if (config.idle || !thread__current())
		return 0;
	level__take(MM_FILEPAGES);
	level__take(MM_ANONPAGES);
	level__take(MM_SHMEMPAGES);
	return 0;
}

SEC("fexit/handle_mm_fault")
int BPF_PROG(pymemtop_fexit)
{
	return fault__end();
}

SEC("kretprobe/handle_mm_fault")
int BPF_KRETPROBE(pymemtop_kretprobe)
{
	return fault__end();
}

SEC("uprobe")
int pymemtop_enter(struct pt_regs *ctx)
{
	struct probe probe;
	struct thread *t = probe__enter(ctx, &probe);

	if (t)
		probe__attribute(ctx, t, probe);
	return 0;
}
