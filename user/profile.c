// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

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
	[LOST_RUN] = { "runs", "runs of BPF programs that the kernel skipped, for all processes" },
	[LOST_PROCESS] = { "processes", "more child processes than their table holds" },
	[LOST_PAGE] = { "pages", "pages of more regions than --max-regions, or than memory was to be had for" },
};

int profile_line__compare(const struct profile_line *a, const struct profile_line *b)
{
	int order = strcmp(a->place->file, b->place->file);

	if (!order)
		order = (a->function ? a->function->first : 0) -
			(b->function ? b->function->first : 0);
	return order ? order : a->place->line - b->place->line;
}

uint64_t measure__of(const struct measure *measure, const struct amounts *amounts)
{
	return *(const uint64_t *)((const char *)amounts + measure->offset);
}

struct text measure__format(const struct measure *measure, const struct amounts *amounts)
{
	uint64_t value = measure__of(measure, amounts);

	return measure->kind == MEASURE_COUNT ? format_count(value) :
	       measure->kind == MEASURE_CHANGE ? format_signed(value) : format_bytes(value);
}

const struct measure *measures__activity(const struct measure *measures)
{
	const struct measure *last = measures;

	for (; measures->member; measures++) {
		if (measures->title)
			last = measures;
	}
	return last;
}

const char *lost__name(enum lost_cause cause)
{
	return lost[cause].name;
}

const char *lost__help(enum lost_cause cause)
{
	return lost[cause].help;
}
