// SPDX-License-Identifier: BSD-2-Clause
#include <pthread.h>
#include <string.h>

#include "target/layouts.h"

struct cpython {
	unsigned int major, minor;
	struct py_layout layout;
	/* The slot of the description that holds each field; 0, the cookie's: none. */
	struct py_layout slots;
};

/* For a new version, scripts/cpython-layout makes the file, and it gets a line here. The newest is
 * last: later ones are read in its form. */
static const struct cpython versions[] = {
#include "target/layouts/3.8.h"
#include "target/layouts/3.9.h"
#include "target/layouts/3.10.h"
#include "target/layouts/3.11.h"
#include "target/layouts/3.12.h"
#include "target/layouts/3.13.h"
#include "target/layouts/3.14.h"
#include "target/layouts/3.15.h"
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))
#define FIELDS	 (sizeof(struct py_layout) / sizeof(__u16))

/* It is accessed as an array. */
_Static_assert(sizeof(struct py_layout) == offsetof(struct py_layout, type_dealloc) + sizeof(__u16),
	       "a field of struct py_layout is no __u16");

#define FIELD(name) (offsetof(struct py_layout, name) / sizeof(__u16))

/* Fields that no version describes, and the neighbour to which each keeps its distance. */
static const struct {
	size_t field, neighbour;
} undescribed[] = {
	{FIELD(runtime_interpreters_main), FIELD(runtime_interpreters_head)},
	{FIELD(interp_threads_unique), FIELD(interp_threads_head)},
	{FIELD(code_first_traceable), FIELD(code_bytecode)},
	{FIELD(str_compact_data), FIELD(str_ascii_data)},
	{FIELD(type_dealloc), FIELD(type_name)},
	{FIELD(type_cached_keys), FIELD(type_name)},
};

/* The first slots, in all versions. */
enum {
	SLOT_COOKIE,
	SLOT_VERSION, /* PY_VERSION_HEX */
	SLOT_FREE_THREADED,
};

static const struct cpython *find(unsigned int major, unsigned int minor)
{
	size_t i;

	for (i = 0; i < VERSIONS; i++) {
		if (versions[i].major == major && versions[i].minor == minor)
			return &versions[i];
	}
	return NULL;
}

bool layout__of_version(unsigned int major, unsigned int minor, struct py_layout *layout)
{
	const struct cpython *known = find(major, minor);

	if (!known)
		return false;
	*layout = known->layout;
	return true;
}

/* False if a described value is no offset. */
static bool fill_described(const struct cpython *known, const uint64_t *slots, __u16 *fields)
{
	const __u16 *table = (const __u16 *)&known->layout, *slot = (const __u16 *)&known->slots;
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		if (slot[i] && slots[slot[i]] >= NO_FIELD)
			return false;
		fields[i] = slot[i] ? slots[slot[i]] : table[i];
	}
	for (i = 0; i < sizeof(undescribed) / sizeof(undescribed[0]); i++)
		fields[undescribed[i].field] = table[undescribed[i].field] +
					       fields[undescribed[i].neighbour] -
					       table[undescribed[i].neighbour];
	return true;
}

static unsigned int larger(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* How much to read of a thread state and of a frame: at once, so not a whole page. */
static bool size_reads(struct py_layout *l)
{
	unsigned int tstate, frame;

	tstate = larger(larger(l->tstate_interp, l->tstate_next),
			larger(l->tstate_thread_id, l->tstate_frame));
	tstate = larger(tstate, l->tstate_status) + 8;
	frame = larger(larger(l->frame_code, l->frame_previous),
		       larger(l->frame_instr, l->frame_owner)) +
		8;
	l->tstate_size = tstate;
	l->frame_size = frame;
	return tstate < SCRATCH_SIZE && frame < SCRATCH_SIZE;
}

/* Checks fields that are the same in all versions that describe themselves. If a newer version
 * differs here, its description has another form. */
static bool is_of_form(const struct py_layout *layout, const struct py_layout *known)
{
	return layout->object_type == known->object_type &&
	       layout->bytes_size == known->bytes_size && layout->bytes_data == known->bytes_data &&
	       layout->str_length == known->str_length && layout->type_name == known->type_name &&
	       layout->tstate_next == known->tstate_next;
}

bool layout__of_description(unsigned int major, unsigned int minor,
			    const uint64_t slots[DESCRIPTION_SLOTS], struct py_layout *layout)
{
	const struct cpython *known = find(major, minor), *newest = &versions[VERSIONS - 1];

	if (memcmp(&slots[SLOT_COOKIE], "xdebugpy", 8) || major != 3 || minor < FIRST_DESCRIBED ||
	    slots[SLOT_VERSION] >> 16 != (major << 8 | minor))
		return false;
	/* Since 3.14 each of its threads has its own bytecode. */
	if (slots[SLOT_FREE_THREADED] && minor > 13)
		return false;
	return fill_described(known ? known : newest, slots, (__u16 *)layout) &&
	       size_reads(layout) && (known || is_of_form(layout, &newest->layout));
}
