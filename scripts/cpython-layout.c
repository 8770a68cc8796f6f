// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints, as a C initialiser, the struct py_layout of the CPython whose headers it is compiled
 * against. From 3.13 on, also prints which slot of that version's _Py_DebugOffsets describes each
 * field. scripts/cpython-layout runs it.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if PY_VERSION_HEX < 0x03090000
#include "code.h"
#include "frameobject.h"
#include "internal/pycore_pystate.h"
#elif PY_VERSION_HEX < 0x030b0000
#include "frameobject.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#else
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe_structs.h"
#endif

#if defined(Py_GIL_DISABLED) || (defined(Py_TRACE_REFS) && PY_VERSION_HEX < 0x030d0000)
#error "the layout of a free-threaded or reference-tracing build is not its version's"
#endif

#define NO_FIELD 0xffff

static size_t furthest;

static void print(const char *name, size_t value)
{
	printf("\t\t.%s = %zu,\n", name, value);
}

static void print_field(const char *name, size_t offset, size_t size)
{
	print(name, offset);
	if (offset + size > furthest)
		furthest = offset + size;
}

#define FIELD(name, type, member) \
	print_field(#name, offsetof(type, member), sizeof(((type *)0)->member))

/* Bit-fields have no offset: set one, and see which bit of the whole changes. */
#define BIT(name, type, whole, field)                       \
	do {                                                \
		type object;                                \
		uint32_t bits;                              \
		memset(&object, 0, sizeof(object));         \
		object.whole.field = 1;                     \
		memcpy(&bits, &object.whole, sizeof(bits)); \
		print(#name, __builtin_ctz(bits));          \
	} while (0)

static void print_states(void)
{
	FIELD(runtime_interpreters_head, _PyRuntimeState, interpreters.head);
	FIELD(runtime_interpreters_main, _PyRuntimeState, interpreters.main);
#if PY_VERSION_HEX < 0x030c0000
	/* Follows the GIL's two mutexes, the only part whose size is the architecture's. */
	printf("\t\t.runtime_tstate_current = %zu + 2 * sizeof(pthread_mutex_t),\n",
	       offsetof(_PyRuntimeState, gilstate.tstate_current) - 2 * sizeof(pthread_mutex_t));
	FIELD(runtime_last_holder, _PyRuntimeState, ceval.gil.last_holder);
#else
	print("runtime_tstate_current", NO_FIELD);
	print("runtime_last_holder", NO_FIELD);
#endif
#if PY_VERSION_HEX < 0x030c0000
	print("interp_gil", NO_FIELD);
	print("gil_last_holder", NO_FIELD);
	FIELD(interp_modules, PyInterpreterState, modules);
#else
	FIELD(interp_gil, PyInterpreterState, ceval.gil);
	FIELD(gil_last_holder, struct _gil_runtime_state, last_holder);
	FIELD(interp_modules, PyInterpreterState, imports.modules);
#endif
	FIELD(interp_next, PyInterpreterState, next);
#if PY_VERSION_HEX < 0x030b0000
	FIELD(interp_threads_head, PyInterpreterState, tstate_head);
	FIELD(interp_threads_unique, PyInterpreterState, tstate_next_unique_id);
#else
	FIELD(interp_threads_head, PyInterpreterState, threads.head);
	FIELD(interp_threads_unique, PyInterpreterState, threads.next_unique_id);
#endif

	furthest = 0;
	FIELD(tstate_interp, PyThreadState, interp);
	FIELD(tstate_next, PyThreadState, next);
	FIELD(tstate_thread_id, PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x030c0000
	FIELD(tstate_status, PyThreadState, _status);
	BIT(status_bound_shift, PyThreadState, _status, bound_gilstate);
	BIT(status_active_shift, PyThreadState, _status, active);
#else
	print("tstate_status", NO_FIELD);
	print("status_bound_shift", 0);
	print("status_active_shift", 0);
#endif
#if PY_VERSION_HEX < 0x030b0000
	FIELD(tstate_frame, PyThreadState, frame);
	print("cframe_current_frame", NO_FIELD);
#elif PY_VERSION_HEX < 0x030d0000
	FIELD(tstate_frame, PyThreadState, cframe);
	print("cframe_current_frame", offsetof(_PyCFrame, current_frame));
#else
	FIELD(tstate_frame, PyThreadState, current_frame);
	print("cframe_current_frame", NO_FIELD);
#endif
	print("tstate_size", furthest);
}

#if PY_VERSION_HEX < 0x030b0000

static void print_frame(void)
{
	furthest = 0;
	FIELD(frame_code, PyFrameObject, f_code);
	FIELD(frame_instr, PyFrameObject, f_lasti);
	FIELD(frame_previous, PyFrameObject, f_back);
	print("frame_locals", offsetof(PyFrameObject, f_localsplus));
	print("frame_owner", 0);
	print("frame_size", furthest);
	print("frame_neighbours", 0);
	print("frame_tags", 0);
	print("instr_is_pointer", 0);
	print("owner_generator", NO_FIELD);
	print("owner_skipped", NO_FIELD);
}

#else

static void print_frame(void)
{
	furthest = 0;
#if PY_VERSION_HEX < 0x030d0000
	FIELD(frame_code, _PyInterpreterFrame, f_code);
	FIELD(frame_instr, _PyInterpreterFrame, prev_instr);
#else
	FIELD(frame_code, _PyInterpreterFrame, f_executable);
	FIELD(frame_instr, _PyInterpreterFrame, instr_ptr);
#endif
	FIELD(frame_previous, _PyInterpreterFrame, previous);
	print("frame_locals", offsetof(_PyInterpreterFrame, localsplus));
	FIELD(frame_owner, _PyInterpreterFrame, owner);
	print("frame_size", furthest);
	/* DATA_STACK_CHUNK_SIZE, Python/pystate.c */
	print("frame_neighbours", 1 << 14);
	/* _PyStackRef, pycore_stackref.h: all its variants use the two lowest bits as tags. */
	print("frame_tags", PY_VERSION_HEX < 0x030e0000 ? 0 : 3);
	print("instr_is_pointer", 1);
	print("owner_generator", FRAME_OWNED_BY_GENERATOR);
#if PY_VERSION_HEX >= 0x030e0000
	print("owner_skipped", FRAME_OWNED_BY_INTERPRETER);
#elif PY_VERSION_HEX >= 0x030c0000
	print("owner_skipped", FRAME_OWNED_BY_CSTACK);
#else
	print("owner_skipped", NO_FIELD);
#endif
}

#endif

static void print_code(void)
{
#if PY_VERSION_HEX < 0x030b0000
	print("code_bytecode", 0);
	print("code_first_traceable", NO_FIELD);
	FIELD(code_qualname, PyCodeObject, co_name);
#else
	FIELD(code_bytecode, PyCodeObject, co_code_adaptive);
	FIELD(code_first_traceable, PyCodeObject, _co_firsttraceable);
	FIELD(code_qualname, PyCodeObject, co_qualname);
#endif
#if PY_VERSION_HEX < 0x030a0000
	FIELD(code_linetable, PyCodeObject, co_lnotab);
	printf("\t\t.line_table = LINES_LNOTAB,\n");
#elif PY_VERSION_HEX < 0x030b0000
	FIELD(code_linetable, PyCodeObject, co_linetable);
	printf("\t\t.line_table = LINES_PEP626,\n");
#else
	FIELD(code_linetable, PyCodeObject, co_linetable);
	printf("\t\t.line_table = LINES_LOCATIONS,\n");
#endif
#if PY_VERSION_HEX < 0x030b0000
	FIELD(code_local_names, PyCodeObject, co_varnames);
#else
	FIELD(code_local_names, PyCodeObject, co_localsplusnames);
#endif
	FIELD(code_first_line, PyCodeObject, co_firstlineno);
	FIELD(code_filename, PyCodeObject, co_filename);
}

static void print_objects(void)
{
	FIELD(object_type, PyObject, ob_type);
	FIELD(bytes_size, PyBytesObject, ob_base.ob_size);
	FIELD(bytes_data, PyBytesObject, ob_sval);
	FIELD(str_length, PyASCIIObject, length);
	FIELD(str_state, PyASCIIObject, state);
	BIT(str_kind_shift, PyASCIIObject, state, kind);
	BIT(str_compact_shift, PyASCIIObject, state, compact);
	BIT(str_ascii_shift, PyASCIIObject, state, ascii);
	print("str_ascii_data", sizeof(PyASCIIObject));
	print("str_compact_data", sizeof(PyCompactUnicodeObject));
	FIELD(type_name, PyTypeObject, tp_name);
	FIELD(type_cached_keys, PyHeapTypeObject, ht_cached_keys);
	FIELD(type_dealloc, PyTypeObject, tp_dealloc);
}

#if PY_VERSION_HEX >= 0x030d0000

#define SLOT(name, member) \
	print(#name, offsetof(struct _Py_DebugOffsets, member) / sizeof(uint64_t))

static void print_slots(void)
{
	SLOT(runtime_interpreters_head, runtime_state.interpreters_head);
	SLOT(interp_gil, interpreter_state.ceval_gil);
	SLOT(interp_modules, interpreter_state.imports_modules);
	SLOT(interp_next, interpreter_state.next);
	SLOT(interp_threads_head, interpreter_state.threads_head);
	SLOT(tstate_interp, thread_state.interp);
	SLOT(tstate_next, thread_state.next);
	SLOT(tstate_thread_id, thread_state.thread_id);
	SLOT(tstate_status, thread_state.status);
	SLOT(tstate_frame, thread_state.current_frame);
	SLOT(frame_code, interpreter_frame.executable);
	SLOT(frame_instr, interpreter_frame.instr_ptr);
	SLOT(frame_previous, interpreter_frame.previous);
	SLOT(frame_owner, interpreter_frame.owner);
	SLOT(frame_locals, interpreter_frame.localsplus);
	SLOT(code_bytecode, code_object.co_code_adaptive);
	SLOT(code_qualname, code_object.qualname);
	SLOT(code_linetable, code_object.linetable);
	SLOT(code_local_names, code_object.localsplusnames);
	SLOT(code_first_line, code_object.firstlineno);
	SLOT(code_filename, code_object.filename);
	SLOT(object_type, pyobject.ob_type);
	SLOT(bytes_size, bytes_object.ob_size);
	SLOT(bytes_data, bytes_object.ob_sval);
	SLOT(str_length, unicode_object.length);
	SLOT(str_state, unicode_object.state);
	SLOT(str_ascii_data, unicode_object.asciiobject_size);
	SLOT(type_name, type_object.tp_name);
}

#endif

int main(void)
{
	printf("/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */\n");
	printf("/* Made by scripts/cpython-layout from the headers of CPython %s. */\n",
	       PY_VERSION);
	printf("{\n\t.major = %d,\n\t.minor = %d,\n\t.layout = {\n", PY_MAJOR_VERSION,
	       PY_MINOR_VERSION);
	print_states();
	print_frame();
	print_code();
	print_objects();
	printf("\t},\n");
#if PY_VERSION_HEX >= 0x030d0000
	printf("\t.slots = {\n");
	print_slots();
	printf("\t},\n");
#endif
	printf("},\n");
	return 0;
}
