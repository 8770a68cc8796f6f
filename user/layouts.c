// SPDX-License-Identifier: BSD-2-Clause
#include <stddef.h>

#include "layouts.h"

/* A new version: scripts/cpython-layout makes the file, and one entry here. */
static const struct cpython versions[] = {
	{
		3, 11,
#include "layouts/3.11.h"
		line_from_location_table,
	},
	{
		3, 12,
#include "layouts/3.12.h"
		line_from_location_table,
	},
	{
		3, 13,
#include "layouts/3.13.h"
		line_from_location_table,
	},
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

_Static_assert(VERSIONS <= MAX_LAYOUTS, "the BPF side's map is too small");

const struct cpython *cpython__find(unsigned int major, unsigned int minor)
{
	size_t i;

	for (i = 0; i < VERSIONS; i++) {
		if (versions[i].major == major && versions[i].minor == minor)
			return &versions[i];
	}
	return NULL;
}

const struct cpython *cpython__get(unsigned int index)
{
	return index < VERSIONS ? &versions[index] : NULL;
}

unsigned int cpython__index(const struct cpython *python)
{
	return python - versions;
}
