// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_place.h"
#include "base/utf8.h"
#include "inspect/census_types.h"
#include "inspect/saved.h"

/* Holders in holders, in a tree; more than inspect saves. */
#define MOST_DEPTH 256

enum place {
	IN_FILE,
	IN_SAVED,
	IN_PROCESSES,
	IN_PROCESS,
	IN_TYPES,
	IN_TYPE,
	IN_HOLDERS,
	IN_HOLDER,
	IN_UNKNOWN,
};

struct saved_type {
	struct census_type row;
	int64_t count_change, bytes_change;
};

struct saved_holder {
	struct holder row;
	int64_t depth, change;
};

struct saved_process {
	struct inspected of;
	struct census *now;
	struct saved_type *types;
	size_t ntypes;
	struct saved_holder *holders;
	size_t nholders;
	struct residence residence;
	bool has_holders, has_changes;
	int64_t pid, retained_bytes;
};

struct loader {
	struct json_place place;
	bool has_schema;
	struct saved_process process;
	struct saved_type type;
	struct saved_holder holder;
	int64_t line;
	struct inspected *all;
	size_t n;
	int err;
	char *why;
	size_t why_size;
};

static int fail(struct loader *loader, const char *why)
{
	snprintf(loader->why, loader->why_size, "%s", why);
	loader->err = -EINVAL;
	return 0;
}

static int no_memory(struct loader *loader)
{
	loader->err = -ENOMEM;
	return 0;
}

/* Appends to a list whose room is the next power of two. Returns 1, or 0 if memory is short. */
static int append(struct loader *loader, void **list, size_t *n, const void *element, size_t size)
{
	void *more = *list;

	if (!(*n & (*n - 1))) {
		more = reallocarray(*list, *n ? 2 * *n : 1, size);
		if (!more)
			return no_memory(loader);
		*list = more;
	}
	memcpy((char *)more + (*n)++ * size, element, size);
	return 1;
}

static bool is_key(const struct loader *loader, enum place place, const char *key)
{
	return json_place__here(&loader->place) == (int)place &&
	       json_place__is_key(&loader->place, key);
}

static int open_process(struct loader *loader)
{
	struct saved_process *process = &loader->process;

	process->now = calloc(1, sizeof(*process->now));
	if (!process->now)
		return no_memory(loader);
	process->now->texts = arena__new();
	return process->now->texts ? 1 : no_memory(loader);
}

static int open_place(struct loader *loader, bool is_array)
{
	static const struct json_rule rules[] = {
		{IN_FILE, NULL, false, IN_SAVED},
		{IN_SAVED, "processes", true, IN_PROCESSES},
		{IN_PROCESSES, NULL, false, IN_PROCESS},
		{IN_PROCESS, "types", true, IN_TYPES},
		{IN_TYPES, NULL, false, IN_TYPE},
		{IN_PROCESS, "holders", true, IN_HOLDERS},
		{IN_HOLDERS, NULL, false, IN_HOLDER},
	};

	switch (json_place__open(&loader->place, rules, sizeof(rules) / sizeof(rules[0]),
				 IN_UNKNOWN, is_array)) {
	case -1:
		return fail(loader, "it is nested too deeply");
	case IN_PROCESS:
		return open_process(loader);
	case IN_TYPE:
		loader->type = (struct saved_type){0};
		loader->line = 0;
		return 1;
	case IN_HOLDERS:
		loader->process.has_holders = true;
		return 1;
	case IN_HOLDER:
		loader->holder = (struct saved_holder){0};
		return 1;
	default:
		return 1;
	}
}

static int open_map(void *context)
{
	return open_place(context, false);
}

static int open_array(void *context)
{
	return open_place(context, true);
}

static int end_type(struct loader *loader)
{
	struct saved_process *process = &loader->process;

	if (!loader->type.row.name)
		return fail(loader, "a type has no name");
	loader->type.row.defined.line =
		loader->line > 0 && loader->line < INT32_MAX ? loader->line : 0;
	return append(loader, (void **)&process->types, &process->ntypes, &loader->type,
		      sizeof(loader->type));
}

static int end_holder(struct loader *loader)
{
	struct saved_process *process = &loader->process;
	int64_t above = process->nholders ? process->holders[process->nholders - 1].depth : -1;

	if (!loader->holder.row.path || !loader->holder.row.type)
		return fail(loader, "a holder has no path, or no type");
	if (loader->holder.depth < 0 || loader->holder.depth > above + 1 ||
	    loader->holder.depth > MOST_DEPTH)
		return fail(loader, "a holder's depth does not fit");
	return append(loader, (void **)&process->holders, &process->nholders, &loader->holder,
		      sizeof(loader->holder));
}

/* Makes the rows of a census: now's, or, less the changes, the first look's. */
static int make_types(const struct saved_process *process, bool first, struct census *census)
{
	const struct saved_type *type;
	size_t i;

	census->types = calloc(process->ntypes + 1, sizeof(*census->types));
	if (!census->types)
		return -ENOMEM;
	for (i = 0; i < process->ntypes; i++) {
		type = &process->types[i];
		census->types[census->ntypes] = type->row;
		if (first) {
			census->types[census->ntypes].count -= type->count_change;
			census->types[census->ntypes].bytes -= type->bytes_change;
		}
		/* What is no more is only in the first look. */
		census->ntypes += census->types[census->ntypes].count != 0;
	}
	return census_types__index(census);
}

/* Takes the holders of that depth, and what is in them, from *at on. */
static int make_holders(const struct saved_process *process, bool first, size_t *at, int64_t depth,
			struct holder *in)
{
	const struct saved_holder *saved;
	struct holder *holder;
	size_t i, n = 0;
	int err = 0;

	for (i = *at; i < process->nholders && process->holders[i].depth >= depth; i++)
		n += process->holders[i].depth == depth;
	in->holders = n ? calloc(n, sizeof(*in->holders)) : NULL;
	if (n && !in->holders)
		return -ENOMEM;
	while (!err && in->nholders < n) {
		saved = &process->holders[(*at)++];
		holder = &in->holders[in->nholders++];
		*holder = saved->row;
		holder->path = strdup(saved->row.path);
		if (!holder->path)
			return -ENOMEM;
		if (first)
			holder->retained_bytes -= saved->change;
		err = make_holders(process, first, at, depth + 1, holder);
	}
	return err;
}

static int make_census(const struct saved_process *process, bool first, struct census *census)
{
	size_t at = 0, i;
	int err = make_types(process, first, census);

	if (err || !process->has_holders)
		return err;
	census->holders = calloc(1, sizeof(*census->holders));
	if (!census->holders)
		return -ENOMEM;
	census->holders->path = strdup("");
	census->holders->type = "";
	census->holders->retained_bytes = process->retained_bytes;
	for (i = 0; first && i < process->nholders; i++)
		census->holders->retained_bytes -=
			process->holders[i].depth ? 0 : process->holders[i].change;
	if (!census->holders->path)
		return -ENOMEM;
	return make_holders(process, first, &at, 0, census->holders);
}

static void clear_process(struct saved_process *process)
{
	free(process->types);
	free(process->holders);
	census__free(process->now);
	inspected__clear(&process->of);
	memset(process, 0, sizeof(*process));
}

static int end_process(struct loader *loader)
{
	struct saved_process *process = &loader->process;
	struct inspected *of = &process->of;

	of->now = process->now;
	of->now->residence = process->residence;
	of->now->residence.pools_used = of->now->pool_bytes;
	process->now = NULL;
	of->pid = process->pid > 0 && process->pid < INT32_MAX ? process->pid : 0;
	if (!of->cmdline)
		of->cmdline = strdup("");
	if (!of->cmdline || make_census(process, false, of->now))
		return no_memory(loader);
	if (process->has_changes) {
		of->first = calloc(1, sizeof(*of->first));
		if (!of->first || make_census(process, true, of->first))
			return no_memory(loader);
	}
	if (!append(loader, (void **)&loader->all, &loader->n, of, sizeof(*of)))
		return 0;
	memset(of, 0, sizeof(*of));
	clear_process(process);
	return 1;
}

static int close_place(void *context)
{
	struct loader *loader = context;

	switch (json_place__close(&loader->place)) {
	case IN_PROCESS:
		return end_process(loader);
	case IN_TYPE:
		return end_type(loader);
	case IN_HOLDER:
		return end_holder(loader);
	default:
		return 1;
	}
}

static int take_key(void *context, const unsigned char *key, size_t length)
{
	struct loader *loader = context;

	json_place__take_key(&loader->place, key, length);
	return 1;
}

static int take_integer(void *context, long long value)
{
	struct loader *loader = context;
	struct saved_process *process = &loader->process;
	struct census *now = process->now;
	struct residence *residence = &process->residence;
	const struct {
		enum place in;
		const char *key;
		void *to;
	} integers[] = {
		{IN_PROCESS, "pid", &process->pid},
		{IN_PROCESS, "rss_bytes", &process->of.rss},
		{IN_PROCESS, "dumped_bytes", &process->of.rss},
		{IN_PROCESS, "missing_bytes", &process->of.missing},
		{IN_PROCESS, "retained_bytes", &process->retained_bytes},
		{IN_PROCESS, "objects", now ? &now->count : NULL},
		{IN_PROCESS, "bytes", now ? &now->bytes : NULL},
		{IN_PROCESS, "pool_bytes", now ? &now->pool_bytes : NULL},
		{IN_PROCESS, "anonymous_bytes", &residence->anonymous},
		{IN_PROCESS, "file_bytes", &residence->files},
		{IN_PROCESS, "shared_bytes", &residence->shared},
		{IN_PROCESS, "resident_pool_bytes", &residence->pools},
		{IN_PROCESS, "malloc_heaps", &residence->malloc.n},
		{IN_PROCESS, "malloc_unclear_heaps", &residence->malloc.unclear},
		{IN_PROCESS, "malloc_resident_bytes", &residence->malloc.resident},
		{IN_PROCESS, "malloc_free_bytes", &residence->malloc.free},
		{IN_PROCESS, "malloc_free_blocks", &residence->malloc.free_blocks},
		{IN_PROCESS, "malloc_largest_free_bytes", &residence->malloc.largest_free},
		{IN_PROCESS, "malloc_trimmable_bytes", &residence->malloc.trimmable},
		{IN_PROCESS, "swapped_bytes", now ? &now->swapped_bytes : NULL},
		{IN_PROCESS, "left_out", now ? &now->left_out : NULL},
		{IN_PROCESS, "torn_pools", now ? &now->torn : NULL},
		{IN_TYPE, "count", &loader->type.row.count},
		{IN_TYPE, "bytes", &loader->type.row.bytes},
		{IN_TYPE, "line", &loader->line},
		{IN_TYPE, "count_change", &loader->type.count_change},
		{IN_TYPE, "bytes_change", &loader->type.bytes_change},
		{IN_HOLDER, "depth", &loader->holder.depth},
		{IN_HOLDER, "count", &loader->holder.row.count},
		{IN_HOLDER, "bytes", &loader->holder.row.bytes},
		{IN_HOLDER, "retained_bytes", &loader->holder.row.retained_bytes},
		{IN_HOLDER, "retained_bytes_change", &loader->holder.change},
	};
	int64_t number = value;
	size_t i;

	for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		if (is_key(loader, integers[i].in, integers[i].key))
			memcpy(integers[i].to, &number, sizeof(number));
	}
	process->of.is_core |= is_key(loader, IN_PROCESS, "dumped_bytes");
	process->has_changes |= is_key(loader, IN_TYPE, "count_change");
	return 1;
}

/* A copy that is fit to be printed, in the census's memory. */
static int keep(struct loader *loader, const char *text, const char **to)
{
	char *printable = utf8_from_str((const uint8_t *)text, strlen(text), 0);

	*to = printable ? arena__copy(loader->process.now->texts, printable, strlen(printable))
			: NULL;
	free(printable);
	return *to ? 1 : no_memory(loader);
}

/* Takes a malloc'ed text. */
static int take_text(struct loader *loader, char *text)
{
	struct inspected *of = &loader->process.of;

	if (is_key(loader, IN_SAVED, "schema")) {
		loader->has_schema = !strcmp(text, OBJECTS_SCHEMA);
		return loader->has_schema ? 1 : fail(loader, "its schema is not " OBJECTS_SCHEMA);
	}
	if (is_key(loader, IN_TYPE, "type"))
		return keep(loader, text, &loader->type.row.name);
	if (is_key(loader, IN_TYPE, "file"))
		return keep(loader, text, &loader->type.row.defined.file);
	if (is_key(loader, IN_HOLDER, "type"))
		return keep(loader, text, &loader->holder.row.type);
	if (is_key(loader, IN_HOLDER, "path"))
		return keep(loader, text, (const char **)&loader->holder.row.path);
	if (is_key(loader, IN_PROCESS, "python"))
		snprintf(of->version, sizeof(of->version), "%s", text);
	if (is_key(loader, IN_PROCESS, "comm"))
		snprintf(of->comm, sizeof(of->comm), "%s", text);
	utf8_keep_ascii(of->version);
	utf8_keep_ascii(of->comm);
	if (is_key(loader, IN_PROCESS, "cmdline")) {
		free(of->cmdline);
		of->cmdline = strdup(text);
		return of->cmdline ? 1 : no_memory(loader);
	}
	return 1;
}

static int take_string(void *context, const unsigned char *bytes, size_t length)
{
	struct loader *loader = context;
	char *text = strndup((const char *)bytes, length);
	int status = text ? take_text(loader, text) : no_memory(loader);

	free(text);
	return status;
}

static const yajl_callbacks callbacks = {
	.yajl_integer = take_integer,
	.yajl_string = take_string,
	.yajl_start_map = open_map,
	.yajl_map_key = take_key,
	.yajl_end_map = close_place,
	.yajl_start_array = open_array,
	.yajl_end_array = close_place,
};

int inspected__load(struct json_source *source, struct inspected **all, size_t *n, char *why,
		    size_t size)
{
	struct loader loader = {.why = why, .why_size = size};
	int err = json_source__parse(source, &callbacks, &loader, why, size);
	size_t i;

	clear_process(&loader.process);
	if (loader.err)
		err = loader.err;
	else if (!err && (!loader.has_schema || !loader.n))
		err = fail(&loader, "it has no schema, or no processes") - EINVAL;
	if (err) {
		for (i = 0; i < loader.n; i++)
			inspected__clear(&loader.all[i]);
		free(loader.all);
		return err;
	}
	*all = loader.all;
	*n = loader.n;
	return 0;
}
