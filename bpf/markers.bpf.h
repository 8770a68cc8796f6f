/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Attribution "usdt": each thread's Python stack, kept up to date by CPython's function__entry,
 * function__return and line markers.
 *
 * Entries and returns are paired (Python/ceval.c of 3.11: resuming a generator is an entry,
 * yielding and unwinding are returns) with rare exceptions, such as a signal handler that raises
 * between the call and the entry marker. So each marker's names are compared with the frame
 * expected on top.
 */
#ifndef MARKERS_BPF_H
#define MARKERS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "code.bpf.h"
#include "elements.bpf.h"
#include "pymemtop.h"
#include "stack.bpf.h"
#include "thread.bpf.h"

/* Frames kept per thread: of a deeper stack, the innermost. Python's recursion limit is 1,000. A
 * power of two. */
#define MARKER_DEPTH 1024

/* How many frames to search when markers and stack disagree. */
#define MARKER_SEARCH 64

#define MARKER_FILE_SIZE     1024
#define MARKER_FUNCTION_SIZE 256

/* A frame's generation is a hash of the names' addresses, which do not change while the function
 * runs. */
struct marker_stack {
	__u32 depth;  /* frames entered and not left */
	__u32 bottom; /* the outermost of them that is still kept */
	__u32 end;    /* enum stack_end: what lies below */
	__u32 made;
	struct frame frames[MARKER_DEPTH];
	__u64 groups[MARKER_DEPTH]; /* lines: for each frame, a hash of what it is nested in */
	__u64 file_hash;	    /* of the string in file */
	char file[MARKER_FILE_SIZE];
	char function[MARKER_FUNCTION_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct marker_stack);
} marker_storage SEC(".maps");

/* By thread id: used like thread_table, and since 6.19, which limits task storage elements to 8
 * KiB. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, struct marker_stack);
} marker_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct marker_stack);
} marker_blank SEC(".maps");

/* By the index in the probe_table. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_MARKERS);
	__type(key, __u32);
	__type(value, struct marker_site);
} marker_sites SEC(".maps");

struct marker {
	__u64 file;
	__u64 function;
	__s32 line;
	__u32 tag;
};

static __always_inline struct marker_stack *marker_stack__of(struct task_struct *task, bool make)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	struct marker_stack *stack = NULL;

	if (config.has_marker_storage)
		stack = bpf_task_storage_get(&marker_storage, task, NULL,
					     make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (stack)
		return stack;
	return make ? element__make(&marker_table, &tid, &marker_blank)
		    : bpf_map_lookup_elem(&marker_table, &tid);
}

/* The current thread's. Before 5.11, programs cannot get the current task as a pointer that they
 * may follow. */
static __always_inline struct marker_stack *marker_stack__find_current(bool make)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct marker_stack *stack = NULL;

	if (config.has_marker_storage)
		stack = bpf_task_storage_get(&marker_storage, bpf_get_current_task_btf(), NULL,
					     make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (stack)
		return stack;
	return make ? element__make(&marker_table, &tid, &marker_blank)
		    : bpf_map_lookup_elem(&marker_table, &tid);
}

static __always_inline struct marker_stack *marker_stack__current(struct thread *t)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct marker_stack *stack = marker_stack__find_current(true);

	if (!stack) {
		lose(t->process.id, LOST_THREAD);
		return NULL;
	}
	if (!stack->made) {
		stack->made = 1;
		stack->end = BPF_CORE_READ(task, start_boottime) < t->process.attached_ns
				     ? STACK_BEFORE_ATTACH
				     : STACK_WHOLE;
	}
	return stack;
}

/* The task has executed a new program, which has no frames yet. */
static __always_inline void marker_stack__forget(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	struct marker_stack *stack;

	bpf_map_delete_elem(&marker_table, &tid);
	if (!config.has_marker_storage)
		return;
	stack = bpf_task_storage_get(&marker_storage, task, NULL, 0);
	if (stack) {
		stack->depth = stack->bottom = 0;
		stack->end = STACK_WHOLE;
		bpf_task_storage_delete(&marker_storage, task);
	}
}

/* A forked child continues in the middle of its parent's stack. */
static __always_inline void marker_stack__inherit(struct task_struct *parent,
						  struct task_struct *child)
{
	struct marker_stack *from = marker_stack__of(parent, false), *to;

	if (!from)
		return;
	to = marker_stack__of(child, true);
	if (to)
		bpf_probe_read_kernel(to, sizeof(*to), from);
}

static __always_inline struct frame *marker_stack__frame(struct marker_stack *stack, __u32 at)
{
	return &stack->frames[at & (MARKER_DEPTH - 1)];
}

static __always_inline __u64 *marker_stack__group(struct marker_stack *stack, __u32 at)
{
	return &stack->groups[at & (MARKER_DEPTH - 1)];
}

static __always_inline void marker_stack__push(struct marker_stack *stack, __u64 name,
					       const struct marker *m)
{
	struct frame *frame = marker_stack__frame(stack, stack->depth);

	frame->code = name;
	frame->position = m->line;
	frame->generation = m->tag;
	stack->depth++;
	if (stack->depth - stack->bottom > MARKER_DEPTH) {
		stack->bottom = stack->depth - MARKER_DEPTH;
		stack->end = STACK_BEFORE_ATTACH;
	}
}

static __always_inline void marker_stack__cut(struct marker_stack *stack, __u32 depth)
{
	stack->depth = depth;
	if (stack->bottom > depth)
		stack->bottom = depth;
}

/* The depth of the function's innermost frame, 0 if none. */
static __always_inline __u32 marker_stack__find(struct marker_stack *stack, __u32 tag)
{
	__u32 depth = stack->depth;
	int i;

	for (i = 0; i < MARKER_SEARCH; i++) {
		if (depth == stack->bottom)
			return 0;
		if (marker_stack__frame(stack, depth - 1)->generation == tag)
			return depth;
		depth--;
	}
	return 0;
}

static __always_inline __u64 marker_arg__read(const struct pt_regs *ctx,
					      const struct marker_arg *arg)
{
	__u64 value = 0;
	__u8 size = arg->size < 0 ? -arg->size : arg->size;

	if (arg->kind == ARG_CONSTANT)
		return arg->offset;
	bpf_probe_read_kernel(&value, sizeof(value), (const char *)ctx + arg->reg);
	if (arg->kind == ARG_MEMORY) {
		if (!read_user(&value, sizeof(value), value + arg->offset))
			return 0;
	}
	if (size >= 8)
		return value;
	size = 64 - (size & 7) * 8;
	value <<= size & 63;
	return arg->size < 0 ? (__u64)((__s64)value >> (size & 63)) : value >> (size & 63);
}

static __always_inline bool marker__read(struct pt_regs *ctx, struct thread *t, __u32 index,
					 struct marker *m)
{
	const struct marker_site *site = bpf_map_lookup_elem(&marker_sites, &index);

	if (!site) {
		lose(t->process.id, LOST_MARKER);
		return false;
	}
	m->file = marker_arg__read(ctx, &site->file);
	m->function = marker_arg__read(ctx, &site->function);
	m->line = marker_arg__read(ctx, &site->line);
	m->tag = hash_mix(hash_mix(0, m->file), m->function);
	return true;
}

/* size includes the NUL; most is the size of the buffer. */
static __always_inline __u64 hash_string(__u64 hash, const char *string, __u32 size, __u32 most)
{
	__u64 word;
	__u32 at;

	for (at = 0; at < most && at < size; at += 8) {
		word = *(const __u64 *)(string + at);
		if (size - at < 8)
			word &= (1ULL << ((size - at) & 7) * 8) - 1;
		hash = hash_mix(hash, word);
	}
	return hash_mix(hash, size);
}

/* A hash of the current thread's file and function. Global, so that the verifier follows its loops
 * once. */
__noinline __u64 marker__hash_names(__u32 file_size, __u32 function_size)
{
	struct marker_stack *stack;
	__u64 name;

	/* Before 6.8, a global function is verified even if nothing calls it. */
	if (!config.use_markers)
		return 0;
	stack = marker_stack__find_current(false);
	if (!stack)
		return 0;
	name = hash_string(0, stack->file, file_size, MARKER_FILE_SIZE);
	stack->file_hash = name;
	return hash_string(name, stack->function, function_size, MARKER_FUNCTION_SIZE);
}

static __always_inline int marker__send_part(struct thread *t, __u32 which, const char *string,
					     __u32 size)
{
	struct code_part *part = &t->part;

	/* The compiler knows that it fits; make the verifier see it too. */
	barrier_var(size);
	if (size > CODE_PART_SIZE)
		return -1;
	part->part = which;
	part->total = size;
	part->size = size;
	bpf_probe_read_kernel(part->data, size, string);
	return bpf_ringbuf_output(&ring, part, sizeof(*part) - CODE_PART_SIZE + size, 0);
}

/* Sends a function's names. They stand for it like its code object, but in every process: a forked
 * child continues in frames that its parent entered. */
static __noinline int marker__send(struct thread *t, struct marker_stack *stack, __u64 name,
				   __u32 file_size, __u32 function_size)
{
	struct code_record record = {
		.record.type = RECORD_CODE,
		.code = name,
		.line_table = LINES_ARE_POSITIONS,
		.first_traceable = -1,
	};
	__u8 known = 1;

	if (bpf_map_lookup_elem(&codes, &name))
		return 0;
	t->part.record.type = RECORD_CODE_PART;
	t->part.record.process = 0;
	t->part.code = name;
	t->part.generation = 0;
	t->part.kind = 0;
	t->part.offset = 0;
	if (marker__send_part(t, PART_FILENAME, stack->file, file_size) ||
	    marker__send_part(t, PART_FUNCTION, stack->function, function_size) ||
	    bpf_ringbuf_output(&ring, &record, sizeof(record), 0)) {
		lose(t->process.id, LOST_RING);
		return -1;
	}
	if (bpf_map_update_elem(&codes, &name, &known, BPF_ANY)) {
		lose(t->process.id, LOST_CODE);
		return -1;
	}
	return 0;
}

/* The number that stands for the marker's function: a hash of its names' text, 0 if they could not
 * be read or sent. */
static __noinline __u64 marker__name(struct thread *t, struct marker_stack *stack,
				     const struct marker *m)
{
	long file_size, function_size;
	__u64 name;

	file_size = bpf_probe_read_user_str(stack->file, sizeof(stack->file), (void *)m->file);
	function_size = bpf_probe_read_user_str(stack->function, sizeof(stack->function),
						(void *)m->function);
	if (file_size <= 0 || file_size > MARKER_FILE_SIZE || function_size <= 0 ||
	    function_size > MARKER_FUNCTION_SIZE) {
		lose(t->process.id, LOST_MARKER);
		return 0;
	}
	if (file_size == MARKER_FILE_SIZE || function_size == MARKER_FUNCTION_SIZE)
		lose(t->process.id, LOST_NAME);
	name = marker__hash_names(file_size, function_size);
	if (marker__send(t, stack, name, file_size, function_size))
		return 0;
	return name;
}

static __always_inline void markers__collect(struct thread *t)
{
	struct marker_stack *stack;
	struct frame *frame;
	__u32 depth;
	int i;

	stack = marker_stack__current(t);
	if (!stack)
		return;
	depth = stack->depth;
	for (i = 0; i < MAX_FRAMES + 1; i++) {
		if (depth == stack->bottom) {
			t->stack.end = stack->end;
			return;
		}
		depth--;
		frame = marker_stack__frame(stack, depth);
		if (stack__push(t, frame->code, frame->position, 0))
			return;
	}
}

/* A running function's names cannot move, so equal addresses mean the same function. A frame
 * without a name gets one as soon as it can be read. */
static __always_inline void marker__line(struct thread *t, struct marker_stack *stack,
					 const struct marker *m)
{
	__u32 depth = marker_stack__find(stack, m->tag);
	struct frame *frame;
	__u64 name;

	if (depth) {
		marker_stack__cut(stack, depth);
		frame = marker_stack__frame(stack, depth - 1);
		frame->position = m->line;
		if (!frame->code)
			frame->code = marker__name(t, stack, m);
		return;
	}
	name = marker__name(t, stack, m);
	if (name)
		marker_stack__push(stack, name, m);
}

static __always_inline void marker__return(struct marker_stack *stack, const struct marker *m)
{
	__u32 depth = marker_stack__find(stack, m->tag);

	if (depth)
		marker_stack__cut(stack, depth - 1);
}

static __noinline int marker__take(struct pt_regs *ctx, struct thread *t, enum probe_kind kind,
				   __u32 index)
{
	struct marker_stack *stack;
	struct marker m;

	if (!marker__read(ctx, t, index, &m))
		return 0;
	stack = marker_stack__current(t);
	if (!stack)
		return 0;
	if (kind == PROBE_MARKER_LINE)
		marker__line(t, stack, &m);
	else if (kind == PROBE_MARKER_RETURN)
		marker__return(stack, &m);
	else if (kind == PROBE_MARKER_ENTRY) /* Pushed even without a name: its return will come. */
		marker_stack__push(stack, marker__name(t, stack, &m), &m);
	return 0;
}

#endif /* MARKERS_BPF_H */
