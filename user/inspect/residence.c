// SPDX-License-Identifier: BSD-2-Clause
#include "inspect/residence.h"

/* The kernel's count and the pages were read one after the other. */
uint64_t residence__others(const struct residence *residence)
{
	uint64_t known = residence->pools + residence->malloc.resident;

	return residence->anonymous > known ? residence->anonymous - known : 0;
}
