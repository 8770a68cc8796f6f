// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "profile/profile.h"

static const struct {
	const char *name, *help;
} lost[LOST_CAUSES] = {
	[LOST_BLOCK] = {"blocks", "more live blocks than --max-blocks"},
	[LOST_SITE] = {"sites", "more distinct stacks than --max-sites"},
	[LOST_CODE] = {"codes", "more code objects than their table holds"},
	[LOST_THREAD] = {"threads", "no memory for a thread's state"},
	[LOST_MAPPING] = {"mappings", "more or larger mappings than their table holds"},
	[LOST_UNMAP] = {"unmaps", "munmap() failed after its mapping was taken off the books"},
	[LOST_CALL] = {"calls", "an allocator call whose result was not seen"},
	[LOST_FRAME] = {"frames", "a frame or code object that could not be read"},
	[LOST_NAME] = {"names", "a name or line table that was too long, and cut"},
	[LOST_RING] = {"ring", "new stacks came faster than they were read"},
	[LOST_MARKER] = {"markers", "a marker whose arguments could not be read"},
	[LOST_RUN] = {"runs", "runs of BPF programs that the kernel skipped, for all processes"},
	[LOST_PROCESS] = {"processes", "more child processes than their table holds"},
	[LOST_PAGE] =
		{"pages",
		 "pages of more regions than --max-regions, or than memory was to be had for"},
};

int profile_line__compare(const struct profile_line *a, const struct profile_line *b)
{
	int order = strcmp(a->location->file, b->location->file);

	if (!order)
		order = (a->function ? a->function->first : 0) -
			(b->function ? b->function->first : 0);
	return order ? order : a->location->line - b->location->line;
}

uint64_t value_type__of(const struct value_type *type, const struct values *values)
{
	return *(const uint64_t *)((const char *)values + type->offset);
}

struct text value_type__format(const struct value_type *type, const struct values *values)
{
	uint64_t value = value_type__of(type, values);

	return type->kind == VALUE_COUNT    ? format_count(value)
	       : type->kind == VALUE_CHANGE ? format_signed(value)
					    : format_bytes(value);
}

const struct value_type *schema__activity(const struct value_type *schema)
{
	const struct value_type *last = schema;

	for (; schema->member; schema++) {
		if (schema->title)
			last = schema;
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
