/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a CPython keeps what a frame walk needs. Up to 3.12 that is a table for each
 * version, made from its headers. Later ones describe themselves: _PyRuntime begins
 * with a struct _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h of 3.14;
 * in 3.13 pycore_runtime.h), whose own form changes with each version.
 */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* Since this minor version of 3, _PyRuntime describes itself. */
#define FIRST_DESCRIBED 13

/* 8-byte slots of the largest struct _Py_DebugOffsets that is known, and some. */
#define DESCRIPTION_SLOTS 128

/* The layout of a version, as its headers have it; false where that is not known. From
 * FIRST_DESCRIBED on a build can differ, and its own description is right. */
bool layout__of_version(unsigned int major, unsigned int minor, struct py_layout *layout);

/*
 * The layout that a description gives, the first bytes of the target's _PyRuntime. A
 * version that is not known is read as the newest that is. What is not described lies
 * as far from its neighbour as in the table of that version. False where the cookie,
 * the version or a value is wrong. The description is the target's: it is checked.
 */
bool layout__of_description(unsigned int major, unsigned int minor,
			    const uint64_t slots[DESCRIPTION_SLOTS], struct py_layout *layout);

#endif /* LAYOUTS_H */
