/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * --peak: what each site held when its process held most. A process counts its peaks. A site that
 * changes for the first time since the last one notes what it held before: that is what it held at
 * the peak. So each event costs the same, whatever there is. Threads that change the same site in
 * the same moment as another makes a peak may be on either side of it.
 */
#ifndef PEAK_BPF_H
#define PEAK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "pymemtop.h"

/* Resized to --max-sites if it is asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct site_peak);
} site_peaks SEC(".maps");

/* Call it before the site's counters change. */
static __noinline void peak__note(__u32 process, __u32 site)
{
	struct process_counters *counters = bpf_map_lookup_elem(&process_counters, &process);
	const struct site_counters *now = bpf_map_lookup_elem(&site_counters, &site);
	struct site_peak *peak = bpf_map_lookup_elem(&site_peaks, &site);
	__u64 epoch;

	if (!counters || !now || !peak)
		return;
	/* 0: never noted. */
	epoch = *(volatile __u64 *)&counters->peaks + 1;
	if (peak->epoch == epoch)
		return;
	peak->bytes = now->allocated_bytes - now->freed_bytes;
	peak->count = now->allocated_count - now->freed_count;
	peak->mapped_bytes = now->mapped_bytes - now->unmapped_bytes;
	peak->mapped_count = now->mapped_count - now->unmapped_count;
	peak->process = process;
	peak->epoch = epoch;
}

/* Call it when they have changed by so many bytes. */
static __noinline void peak__change(__u32 process, __s64 bytes)
{
	struct process_counters *counters = bpf_map_lookup_elem(&process_counters, &process);
	__u64 held;

	if (!counters)
		return;
	__sync_fetch_and_add(&counters->held_bytes, bytes);
	held = *(volatile __u64 *)&counters->held_bytes;
	if (bytes <= 0 || (__s64)held <= (__s64)counters->peak_bytes)
		return;
	counters->peak_bytes = held;
	counters->peak_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&counters->peaks, 1);
}

#endif /* PEAK_BPF_H */
