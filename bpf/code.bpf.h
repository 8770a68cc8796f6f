/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Code objects: tells them apart over time, and sends their names, first line and line table to
 * user space when one first appears in a new stack, as it may be gone by the time of the report.
 */
#ifndef CODE_BPF_H
#define CODE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "counters.bpf.h"
#include "pymemtop.h"
#include "thread.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_LAYOUTS);
	__type(key, __u32);
	__type(value, struct py_layout);
} layouts SEC(".maps");

/* The layout of a thread's interpreter; NULL without a thread. */
static __always_inline const struct py_layout *thread__layout(const struct thread *t)
{
	return t ? bpf_map_lookup_elem(&layouts, &t->process.layout) : NULL;
}

/* By process_key(), or by a marker's name: the ones that user space has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u8);
} codes SEC(".maps");

/*
 * How many code objects whose address has this hash have died. Another object can come to the same
 * address, and its frames must not look the same. If two objects share a slot, an unchanged stack
 * merely looks new once more, and user space adds up what resolves to the same names. In a map of
 * its own, which all modes of a recording share.
 */
__u32 code_generations[CODE_GENERATIONS] SEC(".data.codes") = {0};

static __always_inline __u32 *code_generation(__u64 code)
{
	return &code_generations[CODE_SLOT(code)];
}

/* A target's "address" can be anything: keep it out of the process's bits. */
static __always_inline __u64 process_key(__u32 process, __u64 address)
{
	return (__u64)process << PROCESS_KEY_SHIFT | (address & ((1ULL << PROCESS_KEY_SHIFT) - 1));
}

static __always_inline bool read_user(void *to, __u32 size, __u64 from)
{
	return !bpf_probe_read_user(to, size, (const void *)from);
}

/* Why a code object was not sent. */
enum {
	CODE_LOST = -1,
	CODE_UNREADABLE = -2, /* swapped out, or not what it should be */
};

/* Sends the piece at offset of the part whose bytes are at address. Returns its size, or one of the
 * above. Global, so that the verifier follows it once. */
__noinline int code__send_piece(__u64 address, __u32 offset)
{
	struct thread *t = thread__find();
	__u32 size;

	if (!t)
		return CODE_LOST;
	size = t->part.total - offset;
	if (size > CODE_PART_SIZE)
		size = CODE_PART_SIZE;
	t->part.offset = offset;
	t->part.size = size;
	if (!read_user(t->part.data, size, address + offset))
		return CODE_UNREADABLE;
	if (bpf_ringbuf_output(&ring, &t->part, sizeof(t->part) - CODE_PART_SIZE + size, 0)) {
		lose(t->process.id, LOST_RING);
		return CODE_LOST;
	}
	return size;
}

/* Sends one part's bytes, in as many pieces as needed. Cuts a part longer than its limit, and
 * counts that as LOST_NAME. */
static __always_inline int code__send_bytes(struct thread *t, __u64 address, __u32 total,
					    __u32 limit)
{
	int i, sent;

	if (total > limit) {
		lose(t->process.id, LOST_NAME);
		total = limit;
	}
	t->part.total = total;
	for (i = 0; i < CODE_PART_LIMIT; i += CODE_PART_SIZE) {
		sent = code__send_piece(address, i);
		if (sent < 0)
			return sent;
		if (sent < CODE_PART_SIZE)
			break;
	}
	return 0;
}

/* Sends a str's characters as they are in memory, one, two or four bytes each. In a subclass of str
 * they do not follow the head: PyUnicodeObject's data.any points to them. */
static __always_inline int code__send_str(struct thread *t, const struct py_layout *l, __u64 str)
{
	__u64 length, data;
	__u32 state, kind;

	if (!read_user(&length, sizeof(length), str + l->str_length) ||
	    !read_user(&state, sizeof(state), str + l->str_state))
		return CODE_UNREADABLE;
	kind = state >> (l->str_kind_shift & 31) & 7;
	if (length > CODE_PART_LIMIT || (kind != 1 && kind != 2 && kind != 4))
		return CODE_UNREADABLE;
	if (!(state >> (l->str_compact_shift & 31) & 1)) {
		if (!read_user(&data, sizeof(data), str + l->str_compact_data))
			return CODE_UNREADABLE;
	} else {
		data = str + (state >> (l->str_ascii_shift & 31) & 1 ? l->str_ascii_data
								     : l->str_compact_data);
	}
	t->part.kind = kind;
	return code__send_bytes(t, data, length * kind, CODE_NAME_LIMIT);
}

/* Whether this is a code object: a frame under construction, or a modified interpreter, may point
 * to something else. */
static __always_inline bool code__is_one(struct thread *t, const struct py_layout *l, __u64 code)
{
	__u64 type = 0;

	return read_user(&type, sizeof(type), code + l->object_type) &&
	       type == t->process.code_type;
}

static __always_inline bool code__is_known(__u32 process, __u64 code)
{
	__u64 key = process_key(process, code);

	return bpf_map_lookup_elem(&codes, &key);
}

/* A module of 20,000 lines has a line table of some 300 KiB. */
static __always_inline int code__announce_table(struct thread *t, const struct code_record *code,
						__u64 linetable, __u64 size)
{
	const struct py_layout *l = thread__layout(t);
	struct long_table record = {
		.record.type = RECORD_LONG_TABLE,
		.record.process = t->process.id,
		.code = code->code,
		.generation = code->generation,
	};

	if (!l)
		return CODE_LOST;
	record.address = linetable + l->bytes_data;
	record.size_address = linetable + l->bytes_size;
	record.size = size > 0xffffffff ? 0xffffffff : size;
	if (bpf_ringbuf_output(&ring, &record, sizeof(record), 0)) {
		lose(t->process.id, LOST_RING);
		return CODE_LOST;
	}
	return 0;
}

/* Sends all of a code object. Returns 0, or one of the above. Global, so that the verifier follows
 * it once. */
__noinline int code__send_all(__u64 code, __u32 generation)
{
	struct code_record record = {
		.record.type = RECORD_CODE,
		.code = code,
		.generation = generation,
	};
	struct thread *t = thread__find();
	const struct py_layout *l;
	__u64 filename, function, linetable, size, key;
	__u8 known = 1;
	int err;

	if (!t)
		return CODE_LOST;
	l = thread__layout(t);
	if (!l)
		return CODE_LOST;
	key = process_key(t->process.id, code);
	record.record.process = t->process.id;
	record.line_table = l->line_table;

	if (!code__is_one(t, l, code) ||
	    !read_user(&filename, sizeof(filename), code + l->code_filename) ||
	    !read_user(&function, sizeof(function), code + l->code_qualname) ||
	    !read_user(&linetable, sizeof(linetable), code + l->code_linetable) ||
	    !read_user(&size, sizeof(size), linetable + l->bytes_size) ||
	    !read_user(&record.first_line, sizeof(__s32), code + l->code_first_line))
		return CODE_UNREADABLE;
	record.first_traceable = -1;
	if (l->code_first_traceable != NO_FIELD)
		read_user(&record.first_traceable, sizeof(__s32), code + l->code_first_traceable);
	record.first_traceable *= 2; /* counted in _Py_CODEUNIT */

	t->part.record.type = RECORD_CODE_PART;
	t->part.record.process = t->process.id;
	t->part.code = code;
	t->part.generation = generation;

	t->part.part = PART_FILENAME;
	err = code__send_str(t, l, filename);
	if (err)
		return err;
	t->part.part = PART_FUNCTION;
	err = code__send_str(t, l, function);
	if (err)
		return err;
	t->part.part = PART_LINETABLE;
	t->part.kind = 0;
	if (size > CODE_PART_LIMIT)
		err = code__announce_table(t, &record, linetable, size);
	else
		err = code__send_bytes(t, linetable + l->bytes_data, size, CODE_PART_LIMIT);
	if (err)
		return err;
	if (bpf_ringbuf_output(&ring, &record, sizeof(record), 0)) {
		lose(t->process.id, LOST_RING);
		return CODE_LOST;
	}
	if (bpf_map_update_elem(&codes, &key, &known, BPF_ANY)) {
		lose(t->process.id, LOST_CODE);
		return CODE_LOST;
	}
	return 0;
}

/*
 * A forked child has the contents of its parent's memory, but pages of CPython's own file that are
 * never written are not mapped before the child touches them: they hold, for instance, the code
 * object that calls __init__ (3.13). Then use the parent's.
 */
static __always_inline bool code__inherit(struct thread *t, __u64 code, __u32 generation)
{
	struct inherited_code record = {
		.record.type = RECORD_INHERITED_CODE,
		.record.process = t->process.id,
		.code = code,
		.generation = generation,
		.parent = t->process.parent,
	};
	__u64 key = process_key(t->process.id, code);
	__u8 known = 1;

	return record.parent && code__is_known(record.parent, code) &&
	       !bpf_ringbuf_output(&ring, &record, sizeof(record), 0) &&
	       !bpf_map_update_elem(&codes, &key, &known, BPF_ANY);
}

/* Sends the code object to user space. Returns 0, or one of the above after counting it as lost;
 * its next new stack tries again. Global, for the verifier's sake. */
__noinline int code__send(__u64 code, __u32 generation)
{
	struct thread *t = thread__find();
	int err;

	if (!t)
		return CODE_LOST;
	err = code__send_all(code, generation);
	if (err != CODE_UNREADABLE)
		return err;
	if (code__inherit(t, code, generation))
		return 0;
	lose(t->process.id, LOST_FRAME);
	return err;
}

/* The code object is about to be freed: the next one at its address is a different one. */
static __always_inline void code__forget(__u32 process, __u64 code)
{
	__u64 key = process_key(process, code);

	if (!bpf_map_delete_elem(&codes, &key))
		__sync_fetch_and_add(code_generation(code), 1);
}

#endif /* CODE_BPF_H */
