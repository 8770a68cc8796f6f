/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a CPython keeps what a frame walk needs. Up to 3.12 there is a table for each version, made
 * from its headers. Later versions describe themselves: _PyRuntime begins with a struct
 * _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h of 3.14; in 3.13 pycore_runtime.h),
 * whose own layout changes with each version.
 */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "pymemtop.h"

/* From this minor version of 3 on, _PyRuntime describes itself. */
#define FIRST_DESCRIBED 13

/* 8-byte slots of the largest known struct _Py_DebugOffsets, and some more. */
#define DESCRIPTION_SLOTS 128

/* A version's layout by its headers; false if that is not known. From FIRST_DESCRIBED on, a build
 * may differ, and its own description is right. */
bool layout__of_version(unsigned int major, unsigned int minor, struct py_layout *layout);

/*
 * The layout by a description: the first bytes of the target's _PyRuntime. An unknown version is
 * read like the newest known one. Fields that are not described keep their distance to a neighbour,
 * as in that version's table. False if the cookie, the version or a value is wrong: the target
 * supplies the description, so it is checked.
 */
bool layout__of_description(unsigned int major, unsigned int minor,
			    const uint64_t slots[DESCRIPTION_SLOTS], struct py_layout *layout);

#endif /* LAYOUTS_H */
