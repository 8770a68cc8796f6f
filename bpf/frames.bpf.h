/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Attribution "frames": walks the interpreter's own frames in the memory of the running thread.
 * Everything that differs between CPython versions is in struct py_layout.
 */
#ifndef FRAMES_BPF_H
#define FRAMES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "code.bpf.h"
#include "pymemtop.h"
#include "stack.bpf.h"
#include "thread.bpf.h"

/* One search looks at SEARCH_TURNS * SEARCH_STEPS thread states, over all interpreters. It takes
 * two loops, as the verifier follows each turn of a loop. */
#define SEARCH_STEPS 64
#define SEARCH_TURNS 64

/* Frames that a walk passes before it looks up again where it is. */
#define WALK_STEPS 8

static __always_inline __u64 scratch_u64(struct thread *t, __u16 offset)
{
	return *(__u64 *)((__u8 *)t->scratch + (offset & (SCRATCH_SIZE - 8)));
}

/* What came of looking for a thread state. */
enum {
	TSTATE_NONE,
	TSTATE_FOUND,
	TSTATE_UNREADABLE, /* for now: the kernel may be moving its page */
	TSTATE_UNKNOWN,	   /* yet: the search goes on */
};

/*
 * Reads a thread state into the scratch: TSTATE_FOUND if it is this thread's. A thread can have one
 * for each interpreter. Since 3.12 the one bound to the thread is the one it ran in last, even
 * without the GIL (tstate_activate() in Python/pystate.c binds it); a deleted one is bound to no
 * thread, even if its memory still looks like a thread state.
 */
static __always_inline int tstate__read(struct thread *t, const struct py_layout *l, __u64 tstate)
{
	__u64 id;

	if (!read_user(t->scratch, l->tstate_size & (SCRATCH_SIZE - 1), tstate))
		return TSTATE_UNREADABLE;
	id = scratch_u64(t, l->tstate_thread_id);
	if (id != t->pointer && (tstate != t->swapped || id != t->swapped_id))
		return TSTATE_NONE;
	return l->tstate_status == NO_FIELD ||
			       scratch_u64(t, l->tstate_status) >> (l->status_bound_shift & 31) & 1
		       ? TSTATE_FOUND
		       : TSTATE_NONE;
}

/* Continues the search below from where it last stopped. */
__noinline int tstate__search_on(void)
{
	struct thread *t = thread__find();
	const struct py_layout *l;
	__u64 interp, tstate;
	int i, what;

	if (!t)
		return TSTATE_NONE;
	l = thread__layout(t);
	if (!l)
		return TSTATE_NONE;
	for (i = 0; i < SEARCH_STEPS; i++) {
		tstate = *(volatile __u64 *)&t->next_state;
		if (!tstate) {
			interp = *(volatile __u64 *)&t->next_interp;
			if (!interp)
				return TSTATE_NONE;
			if (!read_user(&t->next_state, sizeof(__u64),
				       interp + l->interp_threads_head) ||
			    !read_user(&t->next_interp, sizeof(__u64), interp + l->interp_next))
				return TSTATE_UNREADABLE;
			continue;
		}
		what = tstate__read(t, l, tstate);
		if (what == TSTATE_FOUND)
			t->tstate = tstate;
		if (what != TSTATE_NONE)
			return what;
		if (!scratch_u64(t, l->tstate_thread_id))
			t->untaken_state = tstate;
		*(volatile __u64 *)&t->next_state = scratch_u64(t, l->tstate_next);
	}
	return TSTATE_UNKNOWN;
}

/*
 * Looks for this thread's state in all interpreters' lists, newest first, and leaves it in the
 * scratch. If there is none, does not search again until the main interpreter makes another thread
 * state or another interpreter appears; but does so while some state has not been taken by its
 * thread yet (3.12). Not inlined, or the verifier follows the walk once for each way out of here.
 */
static __noinline int tstate__search(struct thread *t, const struct py_layout *l)
{
	__u64 main = 0, made = 0;
	int i, what = TSTATE_UNKNOWN;

	t->tstate = t->next_interp = t->next_state = t->untaken_state = 0;
	if (!read_user(&t->next_interp, sizeof(__u64),
		       t->process.runtime + l->runtime_interpreters_head) ||
	    !read_user(&main, sizeof(main), t->process.runtime + l->runtime_interpreters_main))
		return TSTATE_UNREADABLE;
	/* Before there is an interpreter, and after its end. */
	if (!main)
		return TSTATE_NONE;
	if (!read_user(&made, sizeof(made), main + l->interp_threads_unique))
		return TSTATE_UNREADABLE;
	made = (made + 1) ^ t->next_interp << 16;
	if (made == t->stateless_at)
		return TSTATE_NONE;
	for (i = 0; i < SEARCH_TURNS && what == TSTATE_UNKNOWN; i++)
		what = tstate__search_on();
	if (what == TSTATE_UNKNOWN)
		lose(t->process.id, LOST_THREAD);
	if (what == TSTATE_NONE && !t->untaken_state)
		t->stateless_at = made;
	return what;
}

/* The state that holds the GIL. Up to 3.11 a thread may have several, one for each interpreter, and
 * this shows in which it runs. 0 from 3.12 on, and if nobody holds it. */
static __always_inline __u64 tstate__holding_gil(struct thread *t, const struct py_layout *l)
{
	__u64 tstate = 0;

	if (l->runtime_tstate_current == NO_FIELD)
		return 0;
	read_user(&tstate, sizeof(tstate), t->process.runtime + l->runtime_tstate_current);
	if (tstate && tstate == t->freed_tstate)
		t->freed_tstate = 0;
	return tstate;
}

/* Nobody holds the GIL: the state that held it last. */
static __always_inline __u64 tstate__last_holder(struct thread *t, const struct py_layout *l)
{
	__u64 tstate = 0;

	if (l->runtime_last_holder == NO_FIELD)
		return 0;
	read_user(&tstate, sizeof(tstate), t->process.runtime + l->runtime_last_holder);
	return tstate == t->freed_tstate ? 0 : tstate;
}

/* Whoever uses pymalloc holds the GIL: then its state is the thread's, and of that only the frame
 * is needed. Reading 8 bytes onto the stack takes half the time of reading it all. */
static __always_inline int tstate__read_frame(struct thread *t, const struct py_layout *l,
					      __u64 tstate)
{
	__u64 frame;

	if (!read_user(&frame, sizeof(frame), tstate + l->tstate_frame))
		return TSTATE_UNREADABLE;
	*(__u64 *)((__u8 *)t->scratch + (l->tstate_frame & (SCRATCH_SIZE - 8))) = frame;
	t->tstate = tstate;
	return TSTATE_FOUND;
}

/*
 * The thread takes on a thread state, to run another interpreter. Up to 3.12 that may be one of
 * another thread's making, which says so for ever: new_interpreter() in Python/pylifecycle.c makes
 * the one that Modules/_xxsubinterpretersmodule.c runs.
 */
static __noinline void tstate__swap(struct thread *t, __u64 tstate)
{
	const struct py_layout *l = thread__layout(t);
	__u64 id = 0;

	t->swapped = 0;
	if (!l || !tstate || !read_user(&id, sizeof(id), tstate + l->tstate_thread_id) ||
	    id == t->pointer)
		return;
	t->swapped_id = id;
	t->swapped = tstate;
}

/* Leaves the current thread's state in the scratch, if it has one. */
static __always_inline int tstate__find(struct thread *t, const struct py_layout *l)
{
	__u64 current = tstate__holding_gil(t, l);
	int what = TSTATE_NONE;

	if (current && t->holds_gil)
		return tstate__read_frame(t, l, current);
	/* Its own stays noted: it goes on with that. */
	if (t->swapped && tstate__read(t, l, t->swapped) == TSTATE_FOUND)
		return TSTATE_FOUND;
	if (!current)
		current = tstate__last_holder(t, l);
	if (current) {
		what = tstate__read(t, l, current);
		if (what == TSTATE_FOUND) {
			t->tstate = current;
			return what;
		}
	}
	/* Without the GIL the thread still has its state, and its frames. */
	if (t->tstate && t->tstate != current)
		what = tstate__read(t, l, t->tstate);
	/* One that cannot be read may be gone, with its interpreter; or the search cannot read it
	 * either. */
	return what == TSTATE_FOUND ? what : tstate__search(t, l);
}

/* Never take a freed thread state for a living one. Debug allocators put up to 32 bytes in front of
 * a block. */
static __always_inline void tstate__forget_if_freed(struct thread *t, __u64 freed)
{
	if (t->swapped - freed <= 32)
		t->swapped = 0;
	if (t->tstate - freed <= 32) {
		t->freed_tstate = t->tstate;
		t->tstate = 0;
	}
}

/*
 * Finds the frame in the window, or reads it. Since 3.11, a thread's frames lie one above the other
 * in chunks of 16 KiB (DATA_STACK_CHUNK_SIZE in Python/pystate.c), the innermost last; entry frames
 * on the C stack (3.12), and generators' frames, lie elsewhere. Starting a read of the target's
 * memory costs far more than reading more bytes, so a read also covers what lies below the frame,
 * usually the next frames. It stays within the page where the frame begins, as nothing may be
 * mapped below.
 */
static __always_inline bool frame__read(struct thread *t, const struct py_layout *l, __u64 address)
{
	__u32 size = l->frame_size & (SCRATCH_SIZE - 1);
	__u64 end = address + size, start, bytes;

	if (address >= t->window_start && end <= t->window_end) {
		*(volatile __u32 *)&t->frame_at = address - t->window_start;
		return true;
	}
	if (t->window_start - address >= l->frame_neighbours &&
	    t->far_frame - address >= l->frame_neighbours) {
		t->far_frame = address;
		*(volatile __u32 *)&t->frame_at = WINDOW_SIZE;
		return read_user(t->window + WINDOW_SIZE, size, address);
	}
	start = address & ~(4096ULL - 1);
	if (start < end - WINDOW_SIZE)
		start = end - WINDOW_SIZE;
	t->window_start = start;
	t->window_end = end;
	*(volatile __u32 *)&t->frame_at = address - start;
	bytes = end - start;
	return bytes <= WINDOW_SIZE && read_user(t->window, bytes, start);
}

/* A field of the frame that was read last. The masks are for the verifier: they keep the access in
 * struct thread, if not in its window. */
static __always_inline const void *frame__field(const struct thread *t, __u16 offset)
{
	return t->window + (t->frame_at & (2 * WINDOW_SIZE - 1)) + (offset & (SCRATCH_SIZE - 1));
}

/* Adds the frame in the window to the stack; true if that is full. */
static __always_inline bool frame__push(struct thread *t, const struct py_layout *l)
{
	__u8 owner = *(const volatile __u8 *)frame__field(t, l->frame_owner);
	__u64 code = *(const __u64 *)frame__field(t, l->frame_code) & ~(__u64)l->frame_tags;
	__u64 bytecode = (code + l->code_bytecode) * l->instr_is_pointer;
	__s32 position = *(const __u64 *)frame__field(t, l->frame_instr) - bytecode;
	__u32 generation = *code_generation(code) & ~FRAME_GENERATOR;

	/* Without a branch: the subtraction borrows only if both are equal. */
	generation |= ((__u32)(owner ^ l->owner_generator) - 1) & FRAME_GENERATOR;
	return stack__push(t, code, position, generation);
}

/* The state that held an interpreter's GIL last. */
static __always_inline __u64 interp__last_holder(struct thread *t, const struct py_layout *l,
						 __u64 interp)
{
	__u64 gil = 0, tstate = 0;

	if (l->interp_gil == NO_FIELD)
		return tstate__last_holder(t, l);
	if (read_user(&gil, sizeof(gil), interp + l->interp_gil))
		read_user(&tstate, sizeof(tstate), gil + l->gil_last_holder);
	return tstate == t->freed_tstate ? 0 : tstate;
}

/* Whether nobody holds the GIL, if the state in the scratch does not. */
static __always_inline bool tstate__has_let_go(struct thread *t, const struct py_layout *l)
{
	return l->tstate_status == NO_FIELD
		       ? !tstate__holding_gil(t, l)
		       : !(scratch_u64(t, l->tstate_status) >> (l->status_active_shift & 31) & 1);
}

/*
 * For a thread without Python: the state of the thread that waits for it. That is the program's
 * only one, while it has let the GIL go: it then runs no Python, and its frames do not move. Which
 * of several threads waits for this one, and which for something else, nothing here tells; but
 * while nobody has the GIL, the one that had it last is likely. Leaves it in the scratch. Global,
 * as the next one, so that the verifier follows it once.
 */
__noinline int tstate__find_waiter(void)
{
	struct thread *t = thread__find();
	const struct py_layout *l = thread__layout(t);
	__u64 newest = 0, main = 0, tstate = 0;

	if (!l ||
	    !read_user(&newest, sizeof(newest),
		       t->process.runtime + l->runtime_interpreters_head) ||
	    !read_user(&main, sizeof(main), t->process.runtime + l->runtime_interpreters_main) ||
	    !main || newest != main ||
	    !read_user(&tstate, sizeof(tstate), main + l->interp_threads_head) || !tstate ||
	    !read_user(t->scratch, l->tstate_size & (SCRATCH_SIZE - 1), tstate))
		return false;
	t->waiter_is_likely = scratch_u64(t, l->tstate_next) != 0;
	if (t->waiter_is_likely) {
		tstate = interp__last_holder(t, l, main);
		if (!tstate || !read_user(t->scratch, l->tstate_size & (SCRATCH_SIZE - 1), tstate))
			return false;
	}
	return tstate__has_let_go(t, l);
}

/*
 * Continues the walk below; true if it is at its end. Each turn hands its results to the next
 * through memory, whose contents the verifier does not track, so that all paths through a turn look
 * the same to it; and as this is global, it follows these few turns once, not all there may be.
 */
__noinline int frames__walk_on(void)
{
	struct thread *t = thread__find();
	const struct py_layout *l = thread__layout(t);
	__u64 address;
	__u8 owner;
	int i;

	if (!l)
		return true;
	for (i = 0; i < WALK_STEPS; i++) {
		address = *(volatile __u64 *)&t->next_frame;
		if (!address)
			return true;
		if (!frame__read(t, l, address)) {
			t->stack.end = STACK_UNREADABLE;
			return true;
		}
		*(volatile __u64 *)&t->next_frame =
			*(const __u64 *)frame__field(t, l->frame_previous);
		owner = *(const volatile __u8 *)frame__field(t, l->frame_owner);
		if (owner < l->owner_skipped && frame__push(t, l))
			return true;
	}
	return false;
}

/* Pushes all frames of the thread state in the scratch. */
static __always_inline void frames__walk(struct thread *t, const struct py_layout *l)
{
	__u64 address = scratch_u64(t, l->tstate_frame);
	__u32 i;

	if (l->cframe_current_frame != NO_FIELD &&
	    !read_user(&address, sizeof(address), address + l->cframe_current_frame)) {
		t->stack.end = STACK_UNREADABLE;
		return;
	}
	t->next_frame = address;
	t->window_start = t->window_end = address + 1;
	for (i = 0; i < config.max_walk; i += WALK_STEPS) {
		if (frames__walk_on())
			return;
	}
	t->stack.end = STACK_CUT;
}

/* The stack is of the thread that waits for this one. If that went on meanwhile, there is none. */
__noinline int stack__take_waiter(void)
{
	struct thread *t = thread__find();
	const struct py_layout *l = thread__layout(t);

	if (!l)
		return 0;
	if (!t->stack.nframes || t->stack.end == STACK_UNREADABLE || !tstate__find_waiter() ||
	    scratch_u64(t, l->tstate_frame) != t->waiter_frame)
		stack__begin(t);
	else
		t->stack.end = t->waiter_is_likely ? STACK_OF_LIKELY_WAITER : STACK_OF_WAITER;
	return 0;
}

/* Leaves the thread state whose frames the stack is of in the scratch. */
__noinline int tstate__locate(void)
{
	struct thread *t = thread__find();
	const struct py_layout *l = thread__layout(t);
	int what;

	if (!l)
		return TSTATE_NONE;
	t->waiter_frame = 0;
	what = tstate__find(t, l);
	if (what == TSTATE_FOUND || what == TSTATE_UNREADABLE || !tstate__find_waiter())
		return what;
	t->waiter_frame = scratch_u64(t, l->tstate_frame);
	return TSTATE_FOUND;
}

static __always_inline void frames__collect(struct thread *t)
{
	const struct py_layout *l = thread__layout(t);
	int what;

	if (!l)
		return;
	what = tstate__locate();
	if (what == TSTATE_FOUND)
		frames__walk(t, l);
	else if (what == TSTATE_UNREADABLE)
		t->stack.end = STACK_UNREADABLE;
	if (t->waiter_frame)
		stack__take_waiter();
	else if (t->stack.end == STACK_UNREADABLE)
		lose(t->process.id, LOST_FRAME);
}

#endif /* FRAMES_BPF_H */
