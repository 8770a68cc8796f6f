// SPDX-License-Identifier: BSD-2-Clause
#include "inspect/threads.h"

/* Frames, thread states and interpreters that are followed, of all threads. */
#define MOST_FRAMES 100000

struct visitor {
	const struct py_layout *layout;
	struct memory *memory;
	int (*visit)(void *context, const struct thread_frame *frame);
	void *context;
	size_t left; /* of MOST_FRAMES */
};

/* Reads a pointer; false if it cannot be read, or is NULL. */
static bool follow(struct visitor *visitor, uint64_t address, uint64_t *pointer)
{
	return visitor->left && visitor->left-- &&
	       memory__read(visitor->memory, address, pointer, sizeof(*pointer)) && *pointer;
}

/* Some frames of 3.12 and later lie between those of Python functions. */
static bool is_python(const struct visitor *visitor, uint64_t frame)
{
	const struct py_layout *l = visitor->layout;
	uint8_t owner;

	return l->owner_skipped == NO_FIELD ||
	       (memory__read(visitor->memory, frame + l->frame_owner, &owner, sizeof(owner)) &&
		owner < l->owner_skipped);
}

static int visit_thread(struct visitor *visitor, uint64_t tstate)
{
	const struct py_layout *l = visitor->layout;
	struct thread_frame frame;
	uint64_t at;
	int err = 0;

	if (!follow(visitor, tstate + l->tstate_frame, &at) ||
	    (l->cframe_current_frame != NO_FIELD &&
	     !follow(visitor, at + l->cframe_current_frame, &at)))
		return 0;
	do {
		frame.address = at;
		if (!follow(visitor, at + l->frame_code, &frame.code))
			break;
		frame.code &= ~(uint64_t)l->frame_tags;
		if (is_python(visitor, at))
			err = visitor->visit(visitor->context, &frame);
	} while (!err && follow(visitor, at + l->frame_previous, &at));
	return err;
}

static int visit_interpreter(struct visitor *visitor, uint64_t interp)
{
	uint64_t tstate;
	int err;

	if (!follow(visitor, interp + visitor->layout->interp_threads_head, &tstate))
		return 0;
	do {
		err = visit_thread(visitor, tstate);
	} while (!err && follow(visitor, tstate + visitor->layout->tstate_next, &tstate));
	return err;
}

int threads__visit_frames(const struct target *target, struct memory *memory,
			  int (*visit)(void *context, const struct thread_frame *frame),
			  void *context)
{
	struct visitor visitor = {&target->layout, memory, visit, context, MOST_FRAMES};
	uint64_t interp;
	int err;

	if (!follow(&visitor, target->runtime + target->layout.runtime_interpreters_head, &interp))
		return 0;
	do {
		err = visit_interpreter(&visitor, interp);
	} while (!err && follow(&visitor, interp + target->layout.interp_next, &interp));
	return err;
}
