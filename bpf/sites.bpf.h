/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Sites: a number for each distinct Python stack of each process. */
#ifndef SITES_BPF_H
#define SITES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "code.bpf.h"
#include "counters.bpf.h"
#include "frames.bpf.h"
#include "markers.bpf.h"
#include "numbers.bpf.h"
#include "pymemtop.h"
#include "stack.bpf.h"
#include "thread.bpf.h"

/* A site's number, by its stack's hash. This map and the next are resized to --max-sites. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} sites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_sites SEC(".maps");

/* For stacks that come when no other number is left: of each, only the leaf. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} leaf_sites SEC(".maps");

/* Sends user space the stack's code objects that it does not have. Returns 0 or CODE_LOST. */
static __always_inline int site__send_codes(struct thread *t)
{
	__u64 code;
	int i;

	if (t->process.attribution != ATTRIBUTION_FRAMES)
		return 0;
	for (i = 0; i < MAX_FRAMES && i < t->stack.nframes; i++) {
		code = t->stack.frames[i].code;
		if (code__is_known(t->process.id, code))
			continue;
		/* An unreadable one has no name, but the others do. */
		if (code__send(code, t->stack.frames[i].generation & ~FRAME_GENERATOR) == CODE_LOST)
			return CODE_LOST;
	}
	return 0;
}

/*
 * Makes a site of the current thread's stack: sends user space the code objects that it does not
 * have yet, then the stack. Returns the site, or 0 if there is no room, counted as lost. Global,
 * for the verifier's sake.
 */
__noinline int site__new(__u64 hash)
{
	struct thread *t = thread__find();
	__u32 number, *other;
	int n;

	if (!t || site__send_codes(t))
		return 0;
	number = number__take(&free_sites);
	if (!number) {
		hash = stack__keep_leaf(t);
		other = bpf_map_lookup_elem(&sites, &hash);
		if (other)
			return *other;
		number = number__take(&leaf_sites);
	}
	if (!number) {
		lose(t->process.id, LOST_SITE);
		return 0;
	}
	t->stack.record.type = RECORD_SITE;
	t->stack.record.process = t->process.id;
	t->stack.site = number;
	t->stack.hash = hash;
	t->stack.namer = t->process.attribution == ATTRIBUTION_FRAMES ? t->process.id : 0;
	/* Never more. Compare it here, where the verifier still tracks the value. */
	n = *(volatile __u16 *)&t->stack.nframes;
	if (n > MAX_FRAMES)
		return 0;
	if (bpf_ringbuf_output(&ring, &t->stack,
			       sizeof(t->stack) - (MAX_FRAMES - n) * sizeof(struct frame), 0)) {
		lose(t->process.id, LOST_RING);
		number__give_back(&free_sites, number);
		return 0;
	}
	if (bpf_map_update_elem(&sites, &hash, &number, BPF_NOEXIST)) {
		/* Another thread was first. */
		number__give_back(&free_sites, number);
		other = bpf_map_lookup_elem(&sites, &hash);
		if (!other) {
			lose(t->process.id, LOST_SITE);
			return 0;
		}
		return *other;
	}
	return number;
}

/* The site of the current thread's Python stack; 0 if lost (and counted). */
static __noinline __attribute__((unused)) __u32 site__current(struct thread *t)
{
	__u32 *number;
	__u64 hash;

	stack__begin(t);
	if (!config.use_markers || t->process.attribution == ATTRIBUTION_FRAMES)
		frames__collect(t);
	else
		markers__collect(t);
	hash = hash_mix(t->hash, t->stack.end);
	if (hash == t->site_hash && t->site)
		return t->site;
	number = bpf_map_lookup_elem(&sites, &hash);
	t->site = number ? *number : site__new(hash);
	t->site_hash = hash;
	return t->site;
}

/* The same for callers with several calls of it, or with many paths to one. Global, so that the
 * verifier follows it once. */
__noinline __attribute__((unused)) int site__find(void)
{
	struct thread *t = thread__find();

	return t ? site__current(t) : 0;
}

#endif /* SITES_BPF_H */
