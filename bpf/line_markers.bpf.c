// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Mode lines with --markers: how much did each executed line add? Reads the resident memory at each
 * of CPython's markers, and charges the change to the line that was just left.
 *
 * Counts like memory_profiler (0.61, CodeMap.trace()) would if every function were profiled by
 * itself: a line's increment is the memory after it, less the most memory seen after the line
 * before it in the same function or in one nested in it. So a line is also charged for the
 * functions that it calls.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "config.bpf.h"
#include "counters.bpf.h"
#include "frames.bpf.h"
#include "lifecycle.bpf.h"
#include "markers.bpf.h"
#include "probe.bpf.h"
#include "pymemtop.h"
#include "rss_counters.bpf.h"
#include "sites.bpf.h"
#include "thread.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FUNCTIONS (1 << 16)

/* By process_key() of a hash of the function: the site counted last. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FUNCTIONS);
	__type(key, __u64);
	__type(value, __u32);
} last_lines SEC(".maps");

/* Flags in a group's lowest bits: FRESH: the function was called, and no line of it was seen yet;
 * ENTERED: it was entered, and no line of it was counted yet. */
#define GROUP_FRESH   1ULL
#define GROUP_ENTERED 2ULL
#define GROUP_FLAGS   (GROUP_FRESH | GROUP_ENTERED)

static __always_inline __u64 resident_bytes(void)
{
	return (rss__pages(MM_FILEPAGES) + rss__pages(MM_ANONPAGES) + rss__pages(MM_SHMEMPAGES))
	       << PAGE_SHIFT;
}

/* The length of the outermost function's part of a qualified name: for functions nested in it,
 * ".<locals>" follows. Global, so that the verifier follows it once. */
__noinline int qualname__outermost(__u32 length)
{
	struct thread *t = thread__find();
	__u32 i;

	if (!t)
		return length;
	for (i = 0; i < MARKER_FUNCTION_SIZE && i < length; i++) {
		if (t->part.data[i] == '.' && t->part.data[i + 1] == '<')
			return i;
	}
	return length;
}

/* Finds where the running function is, in t->running; its code is 0 if that is not known. Not on
 * the caller's stack: up to 6.1 the verifier assumes that the call does not change what is
 * there. */
static __noinline bool running__read(struct thread *t)
{
	const struct py_layout *l = thread__layout(t);
	struct running *running = &t->running;
	__u64 frame, instr;

	running->code = 0;
	if (!l || l->line_table != LINES_LOCATIONS || l->cframe_current_frame == NO_FIELD ||
	    tstate__find(t, l) != TSTATE_FOUND)
		return false;
	frame = scratch_u64(t, l->tstate_frame);
	if (!read_user(&frame, sizeof(frame), frame + l->cframe_current_frame) ||
	    !read_user(&running->code, sizeof(running->code), frame + l->frame_code) ||
	    !read_user(&instr, sizeof(instr), frame + l->frame_instr) ||
	    !read_user(&running->first, sizeof(running->first),
		       running->code + l->code_first_traceable))
		return false;
	running->first *= 2; /* counted in _Py_CODEUNIT */
	running->at = instr - running->code - l->code_bytecode;
	return true;
}

/* A hash of the outermost function that code is nested in, by its qualified name; 0 if that is not
 * ASCII. */
static __noinline __u64 code__outermost(struct thread *t, __u64 code)
{
	const struct py_layout *l = thread__layout(t);
	__u64 name, length, hash = 0x9ae16a3b2f90404fULL;
	__u32 state = 0, i, n;

	if (!l || !read_user(&name, sizeof(name), code + l->code_qualname) ||
	    !read_user(&length, sizeof(length), name + l->str_length) ||
	    !read_user(&state, sizeof(state), name + l->str_state))
		return 0;
	n = length;
	if (length >= MARKER_FUNCTION_SIZE || !(state >> (l->str_ascii_shift & 31) & 1) ||
	    !read_user(t->part.data, n & (MARKER_FUNCTION_SIZE - 1), name + l->str_ascii_data))
		return 0;
	n = qualname__outermost(n);
	for (i = 0; i < MARKER_FUNCTION_SIZE && i < n; i++)
		hash = hash_mix(hash, t->part.data[i]);
	return hash;
}

/* Whether the user gave the code no name: a comprehension or a lambda. */
static __always_inline bool is_nameless(const struct marker_stack *stack)
{
	return stack->function[0] == '<' && stack->function[1] != 'm'; /* <module> */
}

/*
 * The group of functions that share "the line before" with the function on top of the stack: all
 * that are nested in the same one. Before 3.11, a nameless function joins its caller's group.
 */
static __always_inline __u64 function__group(struct thread *t, struct marker_stack *stack,
					     const struct running *running)
{
	__u64 group = running->code ? code__outermost(t, running->code) : 0;

	if (group)
		return hash_mix(group, stack->file_hash);
	if (is_nameless(stack) && stack->depth - 1 > stack->bottom)
		return *marker_stack__group(stack, stack->depth - 2);
	return marker_stack__frame(stack, stack->depth - 1)->code;
}

/* The site of a line, made if it is new; 0 if lost (and counted). */
static __noinline __u32 line__site(struct thread *t, __u64 group, __u64 name, __s32 line)
{
	__u64 hash = hash_mix(group, (__u32)line);
	__u32 *number = bpf_map_lookup_elem(&sites, &hash);

	if (number)
		return *number;
	stack__begin(t);
	stack__push(t, name, line, 0);
	return site__new(hash);
}

/*
 * Counts the line that was left. What the memory changed by since the function was left,
 * memory_profiler adds to the line at which it is entered; the first time that is all memory. This
 * is kept apart, as it is not the line's.
 */
static __noinline int line__leave(struct thread *t, struct marker_stack *stack, __u32 depth)
{
	struct frame *frame = marker_stack__frame(stack, depth);
	__u64 *flags = marker_stack__group(stack, depth);
	__u64 group = hash_mix(*flags & ~GROUP_FLAGS, t->process.id);
	__u64 function = process_key(t->process.id, group >> (64 - PROCESS_KEY_SHIFT));
	__u64 memory = resident_bytes(), before = 0;
	struct site_counters *count, *last;
	__u32 site, *last_site;

	site = line__site(t, group, frame->code, frame->position);
	count = bpf_map_lookup_elem(&site_counters, &site);
	if (!site || !count)
		return 0;
	last_site = bpf_map_lookup_elem(&last_lines, &function);
	if (last_site) {
		last = bpf_map_lookup_elem(&site_counters, last_site);
		before = last ? last->mapped_bytes : 0;
		*last_site = site;
	} else if (bpf_map_update_elem(&last_lines, &function, &site, BPF_ANY)) {
		lose(t->process.id, LOST_CODE);
		return 0;
	}
	if (*flags & GROUP_ENTERED || !last_site)
		count->mapped_count += memory - before;
	else
		count->allocated_bytes += memory - before;
	*flags &= ~GROUP_ENTERED;
	if (memory > count->mapped_bytes)
		count->mapped_bytes = memory;
	count->allocated_count++;
	return 0;
}

/* Pushes a new function on the stack, with its group. */
static __noinline int function__begin(struct thread *t, struct marker_stack *stack,
				      const struct marker *m, bool entered)
{
	struct running *running = &t->running;
	__u64 group;

	if (!m)
		return 0;
	marker_stack__push(stack, marker__name(t, stack, m), m);
	running__read(t);
	group = function__group(t, stack, running) & ~GROUP_FLAGS;
	if (entered)
		group |= GROUP_ENTERED;
	/* Not when a generator is resumed. */
	if (entered && running->code && running->at == running->first)
		group |= GROUP_FRESH;
	*marker_stack__group(stack, stack->depth - 1) = group;
	return 0;
}

/*
 * CPython 3.11 always traces the first line of a function (maybe_call_line_trace() in
 * Python/ceval.c), but fires the marker only if that is not the line of the function's head
 * (maybe_dtrace_line()): for a comprehension or lambda it mostly is. So the first line has run,
 * unless this marker is at the first instruction after RESUME.
 */
static __always_inline void function__catch_up(struct thread *t, struct marker_stack *stack,
					       __u32 depth, bool at_line)
{
	__u64 *group = marker_stack__group(stack, depth);
	struct running *running = &t->running;

	if (!(*group & GROUP_FRESH))
		return;
	*group &= ~GROUP_FRESH;
	if (!running__read(t) ||
	    (at_line && running->at == running->first + 2 /* sizeof(_Py_CODEUNIT) */))
		return;
	line__leave(t, stack, depth);
}

static __noinline int line__take(struct pt_regs *ctx, struct thread *t, enum probe_kind kind,
				 __u32 marker)
{
	struct marker_stack *stack;
	struct marker m;
	__u32 depth;

	if (kind < PROBE_MARKER_ENTRY || !marker__read(ctx, t, marker, &m))
		return 0;
	stack = marker_stack__current(t);
	if (!stack)
		return 0;
	depth = kind == PROBE_MARKER_ENTRY ? 0 : marker_stack__find(stack, m.tag);
	if (!depth) {
		if (kind != PROBE_MARKER_RETURN)
			function__begin(t, stack, &m, kind == PROBE_MARKER_ENTRY);
		return 0;
	}
	function__catch_up(t, stack, depth - 1, kind == PROBE_MARKER_LINE);
	line__leave(t, stack, depth - 1);
	marker_stack__cut(stack, kind == PROBE_MARKER_RETURN ? depth - 1 : depth);
	marker_stack__frame(stack, depth - 1)->position = m.line;
	return 0;
}

SEC("uprobe")
int pymemtop_enter(struct pt_regs *ctx)
{
	struct probe probe;
	struct thread *t = probe__enter(ctx, &probe);

	if (!t)
		return 0;
	line__take(ctx, t, probe.kind, probe.marker);
	return 0;
}
