// SPDX-License-Identifier: BSD-2-Clause
#include "profile.h"

static const struct {
	const char *name, *help;
} lost[LOST_CAUSES] = {
	[LOST_BLOCK] = { "blocks", "more live blocks than --max-blocks" },
	[LOST_SITE] = { "sites", "more distinct stacks than --max-sites" },
	[LOST_CODE] = { "codes", "more code objects than their table holds" },
	[LOST_THREAD] = { "threads", "no memory for a thread's state" },
	[LOST_MAPPING] = { "mappings", "more or larger mappings than their table holds" },
	[LOST_UNMAP] = { "unmaps", "munmap() failed after its mapping was taken off the books" },
	[LOST_CALL] = { "calls", "an allocator call whose result was not seen" },
	[LOST_FRAME] = { "frames", "a frame or code object that could not be read" },
	[LOST_NAME] = { "names", "a name or line table that was too long, and cut" },
	[LOST_RING] = { "ring", "new stacks came faster than they were read" },
	[LOST_MARKER] = { "markers", "a marker whose arguments could not be read" },
	[LOST_PROCESS] = { "processes", "more child processes than their table holds" },
};

const char *lost__name(enum lost_cause cause)
{
	return lost[cause].name;
}

const char *lost__help(enum lost_cause cause)
{
	return lost[cause].help;
}
