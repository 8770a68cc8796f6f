/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The stack being collected in a thread, and its running hash. */
#ifndef STACK_BPF_H
#define STACK_BPF_H

#include "vmlinux.h"
#include "config.bpf.h"
#include "pymemtop.h"
#include "thread.bpf.h"

/* One round of a multiply-and-shift hash, whose 64 bits identify a site. */
static __always_inline __u64 hash_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9fb21c651e98df25ULL;
	return hash ^ hash >> 32;
}

static __always_inline void stack__begin(struct thread *t)
{
	t->stack.nframes = 0;
	t->stack.end = STACK_WHOLE;
	t->hash = hash_mix(0x2545f4914f6cdd1dULL, t->process.id);
}

/* Adds the next outer frame. If the stack is already full, marks it as cut and returns true. */
static __always_inline bool stack__push(struct thread *t, __u64 code, __s32 position,
					__u32 generation)
{
	__u32 n = t->stack.nframes;

	if (n >= config.max_frames || n >= MAX_FRAMES) {
		t->stack.end = STACK_CUT;
		return true;
	}
	t->stack.frames[n].code = code;
	t->stack.frames[n].position = position;
	t->stack.frames[n].generation = generation;
	t->stack.nframes = n + 1;
	t->hash = hash_mix(hash_mix(t->hash, code), (__u64)generation << 32 | (__u32)position);
	return false;
}

/* Cuts the stack to its innermost frame. Returns what identifies the site. */
static __always_inline __u64 stack__keep_leaf(struct thread *t)
{
	const struct frame *leaf = &t->stack.frames[0];
	__u64 hash = hash_mix(0x2545f4914f6cdd1dULL, t->process.id);

	if (t->stack.nframes > 1)
		t->stack.nframes = 1;
	t->stack.end = STACK_CUT;
	if (t->stack.nframes)
		hash = hash_mix(hash_mix(hash, leaf->code),
				(__u64)leaf->generation << 32 | (__u32)leaf->position);
	return hash_mix(hash, STACK_CUT);
}

#endif /* STACK_BPF_H */
