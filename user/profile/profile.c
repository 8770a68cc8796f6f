// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/profile.h"

/* Both are <search.h> trees, ordered by content. */
struct profile_owned {
	struct arena *arena;
	void *strings;
	void *locations;
};

static const struct {
	const char *name, *help;
} lost[LOST_CAUSES] = {
	[LOST_BLOCK] = {"blocks", "more live blocks than --max-blocks"},
	[LOST_SITE] = {"sites", "more distinct stacks than --max-sites"},
	[LOST_CODE] = {"codes", "more code objects than their table holds"},
	[LOST_THREAD] = {"threads", "no memory for a thread's state"},
	[LOST_MAPPING] = {"mappings", "more or larger mappings than their table holds"},
	[LOST_UNMAP] = {"unmaps", "munmap() failed after its mapping was counted as gone"},
	[LOST_CALL] = {"calls", "an allocator call whose result was not seen"},
	[LOST_FRAME] = {"frames", "a frame or code object that could not be read"},
	[LOST_NAME] = {"names", "a name or line table that was too long and was cut"},
	[LOST_RING] = {"ring", "new stacks came faster than they were read"},
	[LOST_MARKER] = {"markers", "a marker whose arguments could not be read"},
	[LOST_RUN] = {"runs", "runs of BPF programs that the kernel skipped, for all processes"},
	[LOST_PROCESS] = {"processes", "more child processes than their table holds"},
	[LOST_POOL] = {"pools", "small objects in more pages than --max-pools"},
	[LOST_PAGE] = {"pages",
		       "pages in more regions than --max-regions, or than there was memory for"},
};

static const char *const states[] = {
	[PROCESS_RUNNING] = "running",
	[PROCESS_EXITED] = "exited",
	[PROCESS_EXECED] = "execed",
};

struct profile *profile__new(void)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile)
		return NULL;
	profile->owned = calloc(1, sizeof(*profile->owned));
	if (profile->owned)
		profile->owned->arena = arena__new();
	if (!profile->owned || !profile->owned->arena) {
		profile__free(profile);
		return NULL;
	}
	return profile;
}

static void forget(void *in_arena)
{
	(void)in_arena;
}

void profile__free(struct profile *profile)
{
	size_t p, i;

	if (!profile)
		return;
	for (p = 0; p < profile->nprocesses; p++) {
		for (i = 0; i < profile->processes[p].nfiles; i++) {
			source_text__free(profile->processes[p].files[i].text);
			def_ranges__free(profile->processes[p].files[i].functions);
		}
	}
	if (profile->owned) {
		tdestroy(profile->owned->strings, forget);
		tdestroy(profile->owned->locations, forget);
		arena__free(profile->owned->arena);
	}
	free(profile->owned);
	free(profile);
}

void *profile__alloc(struct profile *profile, size_t n, size_t size)
{
	return arena__alloc(profile->owned->arena, n, size);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(a, b);
}

const char *profile__string(struct profile *profile, const char *string)
{
	const char **found = tfind(string, &profile->owned->strings, compare_strings);
	const char *copy;

	if (found)
		return *found;
	copy = arena__copy(profile->owned->arena, string, strlen(string));
	return copy && tsearch(copy, &profile->owned->strings, compare_strings) ? copy : NULL;
}

/* Compares strings by address: there is one of each. */
static int compare_locations(const void *a, const void *b)
{
	const struct location *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

const struct location *profile__location(struct profile *profile, const struct location *location)
{
	struct location wanted = {
		.file = profile__string(profile, location->file),
		.function = profile__string(profile, location->function),
		.line = location->line,
	};
	const struct location **found;
	struct location *copy;

	if (!wanted.file || !wanted.function)
		return NULL;
	found = tfind(&wanted, &profile->owned->locations, compare_locations);
	if (found)
		return *found;
	copy = profile__alloc(profile, 1, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = wanted;
	return tsearch(copy, &profile->owned->locations, compare_locations) ? copy : NULL;
}

static int compare_by_value(const void *a, const void *b, void *schema)
{
	const struct profile_line *x = a, *y = b;
	int order = values__compare(schema, &x->values, &y->values);

	return order ? order : profile_line__compare(x, y);
}

/* Compares how much more is held. */
static int compare_by_change(const void *a, const void *b, void *schema)
{
	const struct profile_line *x = a, *y = b;
	int64_t of_x = values__held(schema, &x->change), of_y = values__held(schema, &y->change);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return compare_by_value(a, b, schema);
}

void profile__sort_lines(const struct profile *profile, struct profile_process *process,
			 enum line_order order)
{
	qsort_r(process->lines, process->nlines, sizeof(*process->lines),
		order == BY_CHANGE ? compare_by_change : compare_by_value,
		(void *)&profile->schema);
}

void profile__add_up(const struct profile *profile, struct profile_process *process,
		     enum line_order order)
{
	size_t i;

	process->total = process->change = (struct values){0};
	for (i = 0; i < process->nlines; i++) {
		values__add(&profile->schema, &process->total, &process->lines[i].values);
		values__add(&profile->schema, &process->change, &process->lines[i].change);
	}
	profile__sort_lines(profile, process, order);
}

void profile_process__rests(const struct profile *profile, const struct profile_process *process,
			    struct profile_rest rests[PROFILE_RESTS])
{
	static const struct location before = {"[before attach]", "", 0},
				     small = {"[small objects]", "", 0},
				     shared = {"[shared memory]", "", 0},
				     unattributed = {"[unattributed]", "", 0};

	rests[0] = (struct profile_rest){&before, process->before_attach_bytes};
	rests[1] = (struct profile_rest){&small, values__get(&profile->schema, &process->total,
							     ROLE_ARENA_BYTES)};
	rests[2] = (struct profile_rest){&shared, process->shared_before_bytes +
							  process->shared_unattributed_bytes};
	rests[3] = (struct profile_rest){&unattributed, process->unattributed_bytes};
}

const struct profile_file *profile_process__file(const struct profile_process *process,
						 const char *file)
{
	size_t i;

	for (i = 0; i < process->nfiles; i++) {
		if (process->files[i].file == file)
			return &process->files[i];
	}
	return NULL;
}

int profile_line__compare(const struct profile_line *a, const struct profile_line *b)
{
	int order = strcmp(a->location->file, b->location->file);

	if (!order)
		order = (a->function ? a->function->first : 0) -
			(b->function ? b->function->first : 0);
	return order ? order : a->location->line - b->location->line;
}

const char *lost__name(enum lost_cause cause)
{
	return lost[cause].name;
}

const char *lost__help(enum lost_cause cause)
{
	return lost[cause].help;
}

const char *process_state__name(enum process_state state)
{
	return states[state];
}
