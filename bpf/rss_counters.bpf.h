/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How much memory a process has resident, by the kernel's own counters. Since 6.2 each has a part
 * for every CPU (struct percpu_counter), and all are added up, so it is exact. Before, every task
 * holds back a part (SPLIT_RSS_COUNTING, mm/memory.c), and the current task's is added.
 */
#ifndef RSS_COUNTERS_BPF_H
#define RSS_COUNTERS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "pymemtop.h"

/* linux/mm_types_task.h */
enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
};

/*
 * A CPU's part of a per-CPU object is at the object's address plus the CPU's offset. The kernel
 * does not tell that offset (__per_cpu_offset is not a symbol everywhere), but it gives the
 * addresses of the parts of a map, and the map's own per-CPU address can be read.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} cpu_ruler SEC(".maps");

__u64 cpu_offsets[MAX_CPUS];

/* A pointer's address as a number. It goes through memory, as the verifier allows no arithmetic on
 * addresses. */
static __always_inline __u64 address_of(const void *pointer)
{
	static const void *volatile way;

	way = pointer;
	return *(volatile __u64 *)&way;
}

/* User space runs this once, after the load. */
SEC("raw_tp")
int pymemtop_cpus(void *ctx)
{
	struct bpf_array *ruler = (void *)address_of(&cpu_ruler);
	__u64 base = (__u64)BPF_CORE_READ(ruler, pptrs[0]);
	__u32 zero = 0, cpu;
	void *part;

	for (cpu = 0; cpu < MAX_CPUS && cpu < config.cpus; cpu++) {
		part = bpf_map_lookup_percpu_elem(&cpu_ruler, &zero, cpu);
		if (!part)
			break;
		cpu_offsets[cpu] = address_of(part) - base;
	}
	return 0;
}

static __always_inline __s64 percpu_counter__sum(const struct percpu_counter *counter)
{
	__u64 parts = (__u64)BPF_CORE_READ(counter, counters);
	__s64 sum = BPF_CORE_READ(counter, count);
	__s32 part;
	__u32 cpu;

	for (cpu = 0; cpu < MAX_CPUS && cpu < config.cpus; cpu++) {
		if (!bpf_probe_read_kernel(&part, sizeof(part), (void *)(parts + cpu_offsets[cpu])))
			sum += part;
	}
	return sum;
}

/* The current process's pages of one kind. Global, so that the verifier follows the loop once. */
__noinline __u64 rss__pages(__u32 kind)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___before_6_2 *old_mm = (void *)mm;
	struct task_struct___before_6_2 *old_task = (void *)task;
	__s64 pages = 0;
	__s32 held_back = 0;

	if (!mm)
		return 0;
	if (!bpf_core_field_exists(old_mm->rss_stat.count)) {
		pages = percpu_counter__sum((void *)&mm->rss_stat[0] +
					    kind * bpf_core_type_size(struct percpu_counter));
	} else {
		bpf_probe_read_kernel(&pages, sizeof(pages), &old_mm->rss_stat.count[0] + kind);
		if (bpf_core_field_exists(old_task->rss_stat.count))
			bpf_probe_read_kernel(&held_back, sizeof(held_back),
					      &old_task->rss_stat.count[0] + kind);
		pages += held_back;
	}
	return pages < 0 ? 0 : pages;
}

#endif /* RSS_COUNTERS_BPF_H */
