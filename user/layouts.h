/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPython versions whose frames can be walked. */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include <linux/types.h>

#include "linetable.h"
#include "pymemtop.h"

struct cpython {
	unsigned int major, minor;
	struct py_layout layout;
	line_decoder *line;
};

/* NULL where the version is not known. */
const struct cpython *cpython__find(unsigned int major, unsigned int minor);

/* The one with that number, which cpython__index() gives; NULL past the last. */
const struct cpython *cpython__get(unsigned int index);
unsigned int cpython__index(const struct cpython *python);

#endif /* LAYOUTS_H */
