// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints the struct py_layout of the CPython whose headers it is compiled
 * against, as a C initialiser. scripts/cpython-layout runs it.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

#define NO_FIELD	0xffff

static size_t furthest;

static void print(const char *name, size_t value)
{
	printf("\t.%s = %zu,\n", name, value);
}

static void print_field(const char *name, size_t offset, size_t size)
{
	print(name, offset);
	if (offset + size > furthest)
		furthest = offset + size;
}

#define FIELD(name, type, member) \
	print_field(#name, offsetof(type, member), sizeof(((type *)0)->member))

/* Bit-fields have no offset: set one, and see which bit of the state it is. */
#define STATE_SHIFT(name, field, value) do {				\
	PyASCIIObject str;						\
	uint32_t bits;							\
	memset(&str, 0, sizeof(str));					\
	str.state.field = value;					\
	memcpy(&bits, &str.state, sizeof(bits));			\
	print(#name, __builtin_ctz(bits));				\
} while (0)

int main(void)
{
	printf("/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */\n");
	printf("/* Made by scripts/cpython-layout from the headers of CPython %s. */\n", PY_VERSION);
	printf("{\n");

	FIELD(runtime_interpreters_head, _PyRuntimeState, interpreters.head);
	FIELD(runtime_interpreters_main, _PyRuntimeState, interpreters.main);
#if PY_VERSION_HEX < 0x030c0000
	FIELD(runtime_tstate_current, _PyRuntimeState, gilstate.tstate_current);
#else
	print("runtime_tstate_current", NO_FIELD);
#endif
	FIELD(interp_next, PyInterpreterState, next);
	FIELD(interp_threads_head, PyInterpreterState, threads.head);
	FIELD(interp_threads_unique, PyInterpreterState, threads.next_unique_id);

	furthest = 0;
	FIELD(tstate_interp, PyThreadState, interp);
	FIELD(tstate_next, PyThreadState, next);
	FIELD(tstate_thread_id, PyThreadState, thread_id);
#if PY_VERSION_HEX < 0x030d0000
	FIELD(tstate_frame, PyThreadState, cframe);
	print("tstate_size", furthest);
	print("cframe_current_frame", offsetof(_PyCFrame, current_frame));
#else
	FIELD(tstate_frame, PyThreadState, current_frame);
	print("tstate_size", furthest);
	print("cframe_current_frame", NO_FIELD);
#endif

	furthest = 0;
#if PY_VERSION_HEX < 0x030d0000
	FIELD(frame_code, _PyInterpreterFrame, f_code);
	FIELD(frame_instr, _PyInterpreterFrame, prev_instr);
#else
	FIELD(frame_code, _PyInterpreterFrame, f_executable);
	FIELD(frame_instr, _PyInterpreterFrame, instr_ptr);
#endif
	FIELD(frame_previous, _PyInterpreterFrame, previous);
	FIELD(frame_owner, _PyInterpreterFrame, owner);
	print("frame_size", furthest);
	print("owner_generator", FRAME_OWNED_BY_GENERATOR);
#if PY_VERSION_HEX >= 0x030c0000
	print("owner_cstack", FRAME_OWNED_BY_CSTACK);
#else
	print("owner_cstack", NO_FIELD);
#endif

	FIELD(code_bytecode, PyCodeObject, co_code_adaptive);
	FIELD(code_first_traceable, PyCodeObject, _co_firsttraceable);
	FIELD(code_first_line, PyCodeObject, co_firstlineno);
	FIELD(code_filename, PyCodeObject, co_filename);
	FIELD(code_qualname, PyCodeObject, co_qualname);
	FIELD(code_linetable, PyCodeObject, co_linetable);

	FIELD(bytes_size, PyBytesObject, ob_base.ob_size);
	FIELD(bytes_data, PyBytesObject, ob_sval);
	FIELD(str_length, PyASCIIObject, length);
	FIELD(str_state, PyASCIIObject, state);
	STATE_SHIFT(str_kind_shift, kind, 1);
	STATE_SHIFT(str_compact_shift, compact, 1);
	STATE_SHIFT(str_ascii_shift, ascii, 1);
	print("str_ascii_data", sizeof(PyASCIIObject));
	print("str_compact_data", sizeof(PyCompactUnicodeObject));
	FIELD(type_dealloc, PyTypeObject, tp_dealloc);
	printf("},\n");
	return 0;
}
