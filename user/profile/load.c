// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_place.h"
#include "base/utf8.h"
#include "profile/load.h"

#define SCHEMA "pymemtop.profile/1"

/* The object or array that the reader is in. */
enum place {
	IN_FILE,
	IN_PROFILE,
	IN_WINDOWS,
	IN_SCHEMA,
	IN_TYPE,
	IN_PROCESSES,
	IN_PROCESS,
	IN_LOST,
	IN_LINES,
	IN_LINE,
	IN_STACKS,
	IN_STACK,
	IN_FRAMES,
	IN_FRAME,
	IN_CHANGE,
	IN_OBJECTS,
	IN_OBJECT,
	IN_COST,
	IN_ALIVE,
	IN_ALIVE_TYPES,
	IN_ALIVE_TYPE,
	IN_ALL_MAPPED,
	IN_MAPPED,
	IN_UNKNOWN, /* from a later version; skipped */
};

/* Elements read so far, until we know how many there are. */
struct list {
	void *data;
	size_t n, room;
};

struct reader_state {
	struct profile *profile;
	struct json_place place;
	bool has_schema;
	struct value_type type;
	struct profile_process process;
	struct profile_line line;
	struct profile_stack stack;
	struct location location;
	struct values *change; /* of what is being read */
	size_t nchanges;
	struct profile_type object;
	struct profile_alive_type alive;
	struct profile_mapped mapped;
	int64_t shared; /* of mapped */
	struct list processes, lines, stacks, frames, objects, alives, mapped_files;
	int err;
	char *why;
	size_t why_size;
};

static int fail(struct reader_state *state, const char *format, ...)
{
	va_list args;

	if (!state->err) {
		va_start(args, format);
		vsnprintf(state->why, state->why_size, format, args);
		va_end(args);
		state->err = -EINVAL;
	}
	return 0;
}

static int no_memory(struct reader_state *state)
{
	state->err = -ENOMEM;
	return 0;
}

static int append(struct reader_state *state, struct list *list, const void *element, size_t size)
{
	size_t room = list->room ? 2 * list->room : 64;
	void *more;

	if (list->n == list->room) {
		more = reallocarray(list->data, room, size);
		if (!more)
			return no_memory(state);
		list->data = more;
		list->room = room;
	}
	memcpy((char *)list->data + list->n++ * size, element, size);
	return 1;
}

/* Returns the list's elements, in memory of the profile, and empties the list. */
static void *take(struct reader_state *state, struct list *list, size_t size, size_t *n)
{
	void *copy = profile__alloc(state->profile, list->n, size);

	if (copy && list->n)
		memcpy(copy, list->data, list->n * size);
	*n = list->n;
	list->n = 0;
	if (!copy)
		no_memory(state);
	return copy;
}

static enum place here(const struct reader_state *state)
{
	return json_place__here(&state->place);
}

static bool key_is(const struct reader_state *state, const char *key)
{
	return json_place__is_key(&state->place, key);
}

/* What begins at a key, by the place that the key is in. */
static const struct json_rule rules[] = {
	{IN_FILE, NULL, false, IN_PROFILE},
	{IN_PROFILE, "values", true, IN_SCHEMA},
	{IN_SCHEMA, NULL, false, IN_TYPE},
	{IN_PROFILE, "processes", true, IN_PROCESSES},
	{IN_PROCESSES, NULL, false, IN_PROCESS},
	{IN_PROCESS, "lost", false, IN_LOST},
	{IN_PROCESS, "lines", true, IN_LINES},
	{IN_LINES, NULL, false, IN_LINE},
	{IN_LINE, "change", true, IN_CHANGE},
	{IN_PROCESS, "stacks", true, IN_STACKS},
	{IN_STACKS, NULL, false, IN_STACK},
	{IN_STACK, "frames", true, IN_FRAMES},
	{IN_FRAMES, NULL, false, IN_FRAME},
	{IN_STACK, "change", true, IN_CHANGE},
	{IN_PROFILE, "windows", false, IN_WINDOWS},
	{IN_LINE, "types", true, IN_OBJECTS},
	{IN_OBJECTS, NULL, false, IN_OBJECT},
	{IN_PROCESS, "alive", false, IN_ALIVE},
	{IN_PROFILE, "cost", false, IN_COST},
	{IN_ALIVE, "types", true, IN_ALIVE_TYPES},
	{IN_ALIVE_TYPES, NULL, false, IN_ALIVE_TYPE},
	{IN_PROCESS, "mapped", true, IN_ALL_MAPPED},
	{IN_ALL_MAPPED, NULL, false, IN_MAPPED},
};

static void begin(struct reader_state *state, enum place place)
{
	static const struct location nowhere = {.file = "", .function = ""};

	switch (place) {
	case IN_TYPE:
		memset(&state->type, 0, sizeof(state->type));
		break;
	case IN_PROCESS:
		memset(&state->process, 0, sizeof(state->process));
		state->process.comm = state->process.cmdline = "";
		state->process.python = state->process.attribution = "";
		break;
	case IN_LINE:
		memset(&state->line, 0, sizeof(state->line));
		state->location = nowhere;
		state->change = &state->line.change;
		break;
	case IN_STACK:
		memset(&state->stack, 0, sizeof(state->stack));
		state->change = &state->stack.change;
		break;
	case IN_FRAME:
		state->location = nowhere;
		break;
	case IN_OBJECT:
		state->object = (struct profile_type){.name = ""};
		break;
	case IN_ALIVE_TYPE:
		state->alive = (struct profile_alive_type){.now.name = ""};
		break;
	case IN_MAPPED:
		state->mapped = (struct profile_mapped){.name = ""};
		break;
	case IN_CHANGE:
		state->nchanges = 0;
		break;
	case IN_COST:
		state->profile->cost.known = true;
		break;
	default:
		break;
	}
}

static int open_place(struct reader_state *state, bool is_array)
{
	enum place in = here(state);
	int place = json_place__open(&state->place, rules, sizeof(rules) / sizeof(rules[0]),
				     IN_UNKNOWN, is_array);

	if (place < 0)
		return fail(state, "it is nested too deeply");
	if (in == IN_FILE && place == IN_UNKNOWN)
		return fail(state, "it is not an object");
	if (place == IN_PROCESSES && !state->has_schema)
		return fail(state, "it does not say what its values are, before its processes");
	begin(state, place);
	return 1;
}

static int end_type(struct reader_state *state)
{
	struct schema *schema = &state->profile->schema;

	if (schema->n == MAX_VALUES || !state->type.name)
		return fail(state, "its values are too many, or have no names");
	schema->types[schema->n++] = state->type;
	state->has_schema = true;
	return 1;
}

static int end_line(struct reader_state *state)
{
	state->line.location = profile__location(state->profile, &state->location);
	if (!state->line.location)
		return no_memory(state);
	state->line.types =
		take(state, &state->objects, sizeof(*state->line.types), &state->line.ntypes);
	if (!state->line.types)
		return 0;
	return append(state, &state->lines, &state->line, sizeof(state->line));
}

static int end_frame(struct reader_state *state)
{
	const struct location *location = profile__location(state->profile, &state->location);

	return location ? append(state, &state->frames, &location, sizeof(location))
			: no_memory(state);
}

static int end_stack(struct reader_state *state)
{
	state->stack.frames =
		take(state, &state->frames, sizeof(struct location *), &state->stack.nframes);
	if (!state->stack.frames)
		return 0;
	if (!state->stack.nframes)
		return fail(state, "a stack has no frames");
	return append(state, &state->stacks, &state->stack, sizeof(state->stack));
}

static int end_process(struct reader_state *state)
{
	struct profile_process *process = &state->process;
	size_t i;

	process->lines = take(state, &state->lines, sizeof(*process->lines), &process->nlines);
	process->stacks = take(state, &state->stacks, sizeof(*process->stacks), &process->nstacks);
	if (!process->lines || !process->stacks)
		return 0;
	/* The file does not have all totals. */
	process->total = process->change = (struct values){0};
	for (i = 0; !state->profile->sums_callers && i < process->nlines; i++) {
		values__add(&state->profile->schema, &process->total, &process->lines[i].values);
		values__add(&state->profile->schema, &process->change, &process->lines[i].change);
	}
	for (i = 0; state->profile->sums_callers && i < process->nstacks; i++) {
		values__add(&state->profile->schema, &process->total, &process->stacks[i].values);
		values__add(&state->profile->schema, &process->change, &process->stacks[i].change);
	}
	return append(state, &state->processes, process, sizeof(*process));
}

static int close_place(void *context)
{
	struct reader_state *state = context;

	switch (json_place__close(&state->place)) {
	case IN_TYPE:
		return end_type(state);
	case IN_PROCESSES:
		state->profile->processes =
			take(state, &state->processes, sizeof(*state->profile->processes),
			     &state->profile->nprocesses);
		return state->profile->processes != NULL;
	case IN_PROCESS:
		return end_process(state);
	case IN_LINE:
		return end_line(state);
	case IN_STACK:
		return end_stack(state);
	case IN_FRAME:
		return end_frame(state);
	case IN_OBJECT:
		return append(state, &state->objects, &state->object, sizeof(state->object));
	case IN_ALIVE_TYPE:
		return append(state, &state->alives, &state->alive, sizeof(state->alive));
	case IN_MAPPED:
		state->mapped.shared = state->shared;
		return append(state, &state->mapped_files, &state->mapped, sizeof(state->mapped));
	case IN_ALL_MAPPED:
		state->process.mapped =
			take(state, &state->mapped_files, sizeof(*state->process.mapped),
			     &state->process.nmapped);
		return state->process.mapped != NULL;
	case IN_ALIVE_TYPES:
		state->process.alive.types =
			take(state, &state->alives, sizeof(*state->process.alive.types),
			     &state->process.alive.ntypes);
		return state->process.alive.types != NULL;
	default:
		return 1;
	}
}

static int open_object(void *context)
{
	return open_place(context, false);
}

static int open_array(void *context)
{
	return open_place(context, true);
}

static int take_key(void *context, const unsigned char *key, size_t length)
{
	struct reader_state *state = context;

	json_place__take_key(&state->place, key, length);
	return 1;
}

/* Returns where in the state a string goes, by place and key. */
static const char **string_at(struct reader_state *state)
{
	static const struct {
		enum place in;
		const char *key;
		size_t offset;
	} strings[] = {
#define AT(member) offsetof(struct reader_state, member)
		{IN_TYPE, "name", AT(type.name)},
		{IN_TYPE, "title", AT(type.title)},
		{IN_PROCESS, "comm", AT(process.comm)},
		{IN_PROCESS, "cmdline", AT(process.cmdline)},
		{IN_PROCESS, "python", AT(process.python)},
		{IN_PROCESS, "attribution", AT(process.attribution)},
		{IN_PROCESS, "unit", AT(process.unit)},
		{IN_PROCESS, "container", AT(process.container)},
		{IN_PROCESS, "pod", AT(process.pod)},
		{IN_LINE, "file", AT(location.file)},
		{IN_LINE, "function", AT(location.function)},
		{IN_FRAME, "file", AT(location.file)},
		{IN_FRAME, "function", AT(location.function)},
		{IN_OBJECT, "type", AT(object.name)},
		{IN_PROCESS, "program", AT(process.program)},
		{IN_MAPPED, "name", AT(mapped.name)},
		{IN_ALIVE, "why", AT(process.alive.why)},
		{IN_ALIVE_TYPE, "type", AT(alive.now.name)},
		{IN_ALIVE_TYPE, "file", AT(alive.file)},
#undef AT
	};
	size_t i;

	if (here(state) == IN_PROFILE)
		return key_is(state, "host")   ? &state->profile->host
		       : key_is(state, "mode") ? &state->profile->mode
					       : NULL;
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (strings[i].in == here(state) && key_is(state, strings[i].key))
			return (const char **)((char *)state + strings[i].offset);
	}
	return NULL;
}

/* Takes strings that stand for something else. */
static int take_word(struct reader_state *state, const char *word)
{
	struct tm tm = {0};
	int found = 0;

	if (here(state) == IN_PROFILE && key_is(state, "schema") && strcmp(word, SCHEMA))
		return fail(state, "its schema is %.40s, not " SCHEMA, word);
	if (here(state) == IN_PROFILE && key_is(state, "time")) {
		if (!strptime(word, "%Y-%m-%dT%H:%M:%SZ", &tm))
			return fail(state, "its time is not one");
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is parsed into one. */
		state->profile->time = timegm(&tm);
	} else if (here(state) == IN_PROFILE && key_is(state, "line_values")) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is parsed into one. */
		state->profile->sums_callers = !strcmp(word, LINES_CUMULATIVE);
		found = state->profile->sums_callers ? 0 : -EINVAL;
	} else if (here(state) == IN_TYPE && key_is(state, "kind")) {
		state->type.kind = found = value_kind__find(word);
	} else if (here(state) == IN_TYPE && key_is(state, "role")) {
		state->type.role = found = value_role__find(word);
	} else if (here(state) == IN_PROCESS && key_is(state, "state")) {
		for (found = PROCESS_EXECED; found >= 0 && strcmp(process_state__name(found), word);
		     found--)
			;
		state->process.state = found;
	}
	return found < 0
		       ? fail(state, "it has a %s that is not known: %.40s", state->place.key, word)
		       : 1;
}

/* What a process says of itself is kept as it is; renderers escape it. */
static bool is_as_given(struct reader_state *state, const char **to)
{
	return to == &state->process.comm || to == &state->process.cmdline;
}

/* Names that we saved need no escapes. Others' files may have anything in theirs. Frees the word;
 * NULL if out of memory. */
static char *escape(char *word)
{
	char *escaped = utf8_from_str((const uint8_t *)word, strlen(word), 0);

	free(word);
	return escaped;
}

static int take_string(void *context, const unsigned char *bytes, size_t length)
{
	struct reader_state *state = context;
	char *word = strndup((const char *)bytes, length);
	const char **to;
	int status = 1;

	if (!word)
		return no_memory(state);
	to = string_at(state);
	if (to && !is_as_given(state, to))
		word = escape(word);
	if (to)
		*to = word ? profile__string(state->profile, word) : NULL;
	if (to && !*to)
		status = no_memory(state);
	else if (!to)
		status = take_word(state, word);
	free(word);
	return status;
}

static int64_t *integer_at(struct reader_state *state)
{
	static const struct {
		enum place in;
		const char *key;
		size_t offset;
	} integers[] = {
#define AT(member) offsetof(struct reader_state, member)
		{IN_PROCESS, "rss_bytes", AT(process.rss_bytes)},
		{IN_PROCESS, "rss_file_bytes", AT(process.rss_file_bytes)},
		{IN_PROCESS, "rss_shared_bytes", AT(process.rss_shared_bytes)},
		{IN_PROCESS, "rss_at_attach_bytes", AT(process.rss_at_attach_bytes)},
		{IN_PROCESS, "peak_bytes", AT(process.peak_bytes)},
		{IN_PROCESS, "rss_anon_bytes", AT(process.rss_anon_bytes)},
		{IN_PROCESS, "before_attach_bytes", AT(process.before_attach_bytes)},
		{IN_PROCESS, "unattributed_bytes", AT(process.unattributed_bytes)},
		{IN_PROCESS, "shared_mapped_bytes", AT(process.shared_bytes)},
		{IN_PROCESS, "members", AT(process.members)},
		{IN_PROCESS, "running", AT(process.running)},
		{IN_PROCESS, "shared_before_bytes", AT(process.shared_before_bytes)},
		{IN_PROCESS, "shared_unattributed_bytes", AT(process.shared_unattributed_bytes)},
		{IN_PROCESS, "elsewhere_bytes", AT(process.elsewhere_bytes)},
		{IN_PROCESS, "small_bytes", AT(process.small_bytes)},
		{IN_PROCESS, "small_arenas", AT(process.small_arenas)},
		{IN_PROCESS, "small_arena_size", AT(process.small_arena_size)},
		{IN_PROCESS, "small_before_bytes", AT(process.small_before_bytes)},
		{IN_PROCESS, "small_unattributed_bytes", AT(process.small_unattributed_bytes)},
		{IN_OBJECT, "count", AT(object.count)},
		{IN_OBJECT, "bytes", AT(object.bytes)},
		{IN_PROCESS, "mapped_rest_bytes", AT(process.mapped_rest_bytes)},
		{IN_MAPPED, "bytes", AT(mapped.bytes)},
		{IN_MAPPED, "shared", AT(shared)},
		{IN_ALIVE, "count", AT(process.alive.count)},
		{IN_ALIVE, "bytes", AT(process.alive.bytes)},
		{IN_ALIVE, "count_change", AT(process.alive.count_change)},
		{IN_ALIVE, "bytes_change", AT(process.alive.bytes_change)},
		{IN_ALIVE_TYPE, "count", AT(alive.now.count)},
		{IN_ALIVE_TYPE, "bytes", AT(alive.now.bytes)},
		{IN_ALIVE_TYPE, "count_change", AT(alive.count_change)},
		{IN_ALIVE_TYPE, "bytes_change", AT(alive.bytes_change)},
		{IN_ALIVE_TYPE, "line", AT(alive.line)},
#undef AT
	};
	size_t i;
	int cause;

	for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		if (integers[i].in != here(state) || !key_is(state, integers[i].key))
			continue;
		state->profile->at_peak |= key_is(state, "peak_bytes");
		state->profile->counts_resident |= key_is(state, "rss_anon_bytes");
		state->profile->counts_arenas |= key_is(state, "small_bytes");
		state->profile->counts_small |= key_is(state, "small_before_bytes");
		return (int64_t *)((char *)state + integers[i].offset);
	}
	for (cause = 0; here(state) == IN_LOST && cause < LOST_CAUSES; cause++) {
		if (key_is(state, lost__name(cause)))
			return (int64_t *)&state->process.lost[cause];
	}
	return NULL;
}

static int64_t *value_at(struct reader_state *state)
{
	const struct schema *schema = &state->profile->schema;
	size_t i;

	if (here(state) != IN_LINE && here(state) != IN_STACK)
		return NULL;
	for (i = 0; i < schema->n; i++) {
		if (key_is(state, schema->types[i].name))
			return here(state) == IN_LINE ? &state->line.values.of[i]
						      : &state->stack.values.of[i];
	}
	return NULL;
}

static int take_change(struct reader_state *state, int64_t value)
{
	if (state->nchanges == state->profile->schema.n)
		return fail(state, "a change has more values than there are");
	state->change->of[state->nchanges++] = value;
	return 1;
}

static double *double_at(struct reader_state *state)
{
	static const struct {
		enum place in;
		const char *key;
		size_t offset;
	} doubles[] = {
#define AT(member) offsetof(struct profile, member)
		{IN_PROFILE, "duration_seconds", AT(duration_seconds)},
		{IN_PROFILE, "interval_seconds", AT(interval_seconds)},
		{IN_WINDOWS, "seconds", AT(windows.seconds)},
		{IN_WINDOWS, "min_age_seconds", AT(windows.min_age)},
		{IN_WINDOWS, "max_overhead", AT(windows.max_overhead)},
		{IN_WINDOWS, "overhead", AT(windows.overhead)},
		{IN_COST, "cpu_share", AT(cost.cpu_share)},
		{IN_COST, "cpu_share_now", AT(cost.cpu_share_now)},
		{IN_COST, "runs_per_second", AT(cost.runs_a_second)},
		{IN_COST, "traps_per_second", AT(cost.traps_a_second)},
#undef AT
	};
	size_t i;

	if (here(state) == IN_PROCESS)
		return key_is(state, "peak_seconds")	     ? &state->process.peak_seconds
		       : key_is(state, "small_seen_seconds") ? &state->process.small_seen_seconds
							     : NULL;
	if (here(state) == IN_ALIVE)
		return key_is(state, "first_seconds") ? &state->process.alive.first_seconds
		       : key_is(state, "seconds")     ? &state->process.alive.seconds
						      : NULL;
	for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		if (doubles[i].in == here(state) && key_is(state, doubles[i].key))
			return (void *)((char *)state->profile + doubles[i].offset);
	}
	return NULL;
}

static int take_double(void *context, double value)
{
	struct reader_state *state = context;
	double *to = double_at(state);

	if (to)
		*to = value;
	return 1;
}

static int take_integer(void *context, long long value)
{
	struct reader_state *state = context;
	int64_t *to = integer_at(state);

	if (!to)
		to = value_at(state);
	if (to)
		*to = value;
	else if (here(state) == IN_CHANGE)
		return take_change(state, value);
	else if (here(state) == IN_PROFILE && key_is(state, "map_bytes"))
		state->profile->map_bytes = value;
	else if (here(state) == IN_WINDOWS && key_is(state, "count"))
		state->profile->windows.n = value > 0 && value < INT_MAX ? value : 0;
	else if (double_at(state))
		return take_double(context, (double)value);
	else if ((value < INT_MIN || value > INT_MAX) &&
		 (key_is(state, "pid") || key_is(state, "parent") || key_is(state, "line")))
		return fail(state, "a %s is out of range", state->place.key);
	else if (here(state) == IN_PROCESS && key_is(state, "pid"))
		state->process.pid = value;
	else if (here(state) == IN_PROCESS && key_is(state, "parent"))
		state->process.parent = value;
	else if (here(state) == IN_PROCESS && key_is(state, "ended"))
		state->process.ended = value > 0 ? value : 0;
	else if ((here(state) == IN_LINE || here(state) == IN_FRAME) && key_is(state, "line"))
		state->location.line = value;
	return 1;
}

static int pass_null(void *context)
{
	(void)context;
	return 1;
}

static int pass_boolean(void *context, int value)
{
	(void)context;
	(void)value;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = pass_null,
	.yajl_boolean = pass_boolean,
	.yajl_integer = take_integer,
	.yajl_double = take_double,
	.yajl_string = take_string,
	.yajl_start_map = open_object,
	.yajl_map_key = take_key,
	.yajl_end_map = close_place,
	.yajl_start_array = open_array,
	.yajl_end_array = close_place,
};

static void parse(struct json_source *source, struct reader_state *state)
{
	int err = json_source__parse(source, &callbacks, state, state->why, state->why_size);

	/* A callback that ends it has said why. */
	if (err && err != -ECANCELED && !state->err)
		state->err = err;
	if (!state->err && (!state->profile->mode || !state->profile->processes))
		fail(state, "it has no mode, or no processes");
}

int profile__load(struct json_source *source, struct profile **result, char *why, size_t size)
{
	struct reader_state state = {.why = why, .why_size = size};

	state.profile = profile__new();
	if (state.profile)
		parse(source, &state);
	else
		state.err = -ENOMEM;
	if (!state.err && !state.profile->host)
		state.profile->host = "";
	free(state.processes.data);
	free(state.lines.data);
	free(state.stacks.data);
	free(state.frames.data);
	free(state.objects.data);
	free(state.alives.data);
	free(state.mapped_files.data);
	if (state.err) {
		profile__free(state.profile);
		return state.err;
	}
	*result = state.profile;
	return 0;
}
