/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What user space reads: the processes' and sites' counters, and the ring. */
#ifndef COUNTERS_BPF_H
#define COUNTERS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "pymemtop.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct process_counters);
} process_counters SEC(".maps");

/* Resized to --max-sites. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct site_counters);
} site_counters SEC(".maps");

/* Carries stacks and names when they are first seen, and what happens to processes. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

static __always_inline void lose(__u32 process, enum lost_cause cause)
{
	struct process_counters *counters = bpf_map_lookup_elem(&process_counters, &process);

	if (counters)
		__sync_fetch_and_add(&counters->lost[cause], 1);
}

#include "peak.bpf.h"

/* n blocks or pages of a process's site, of size bytes in total. */
static __always_inline void site__allocate(__u32 process, __u32 site, __u64 size, __u64 n)
{
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);

	if (!count)
		return;
	if (config.peak)
		peak__note(process, site);
	__sync_fetch_and_add(&count->allocated_bytes, size);
	__sync_fetch_and_add(&count->allocated_count, n);
	if (config.peak)
		peak__change(process, size);
}

static __always_inline void site__free(__u32 process, __u32 site, __u64 size, __u64 n)
{
	struct site_counters *count = bpf_map_lookup_elem(&site_counters, &site);

	if (!count)
		return;
	if (config.peak)
		peak__note(process, site);
	__sync_fetch_and_add(&count->freed_bytes, size);
	__sync_fetch_and_add(&count->freed_count, n);
	if (config.peak)
		peak__change(process, -size);
}

#endif /* COUNTERS_BPF_H */
