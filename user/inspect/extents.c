// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "inspect/extents.h"

/* A process has hundreds of mappings. */
#define STEP 64

int extents__add(struct extents *extents, uint64_t start, uint64_t end)
{
	struct extent *more;

	if (extents->n % STEP == 0) {
		more = reallocarray(extents->extents, extents->n + STEP, sizeof(*more));
		if (!more)
			return -ENOMEM;
		extents->extents = more;
	}
	extents->extents[extents->n++] = (struct extent){start, end};
	return 0;
}

void extents__empty(struct extents *extents)
{
	extents->n = extents->at = 0;
}

void extents__free(struct extents *extents)
{
	free(extents->extents);
	*extents = (struct extents){0};
}

size_t extents__first_beyond(struct extents *extents, uint64_t address)
{
	if (extents->at && extents->extents[extents->at - 1].end > address)
		extents->at = 0;
	while (extents->at < extents->n && extents->extents[extents->at].end <= address)
		extents->at++;
	return extents->at;
}

const struct extent *extents__around(struct extents *extents, uint64_t address)
{
	size_t i = extents__first_beyond(extents, address);

	return i < extents->n && extents->extents[i].start <= address ? &extents->extents[i] : NULL;
}
