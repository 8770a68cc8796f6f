// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "base/json.h"
#include "inspect/saved.h"
#include "render/objects.h"
#include "version.h"

static void put_type(struct json_writer *writer, const struct inspected *inspected,
		     const struct census_type *type)
{
	struct census_type growth;

	json__open_map(writer);
	json__text_member(writer, "type", type->name);
	json__integer_member(writer, "count", type->count);
	json__integer_member(writer, "bytes", type->bytes);
	if (type->defined.file)
		json__text_member(writer, "file", type->defined.file);
	if (type->defined.line)
		json__integer_member(writer, "line", type->defined.line);
	if (inspected->first) {
		growth = inspected__growth(inspected, type);
		json__integer_member(writer, "count_change", growth.count);
		json__integer_member(writer, "bytes_change", growth.bytes);
	}
	json__close_map(writer);
}

static void put_amounts(struct json_writer *writer, uint64_t count, uint64_t bytes,
			uint64_t retained_bytes)
{
	json__integer_member(writer, "count", count);
	json__integer_member(writer, "bytes", bytes);
	json__integer_member(writer, "retained_bytes", retained_bytes);
}

static void put_holders(struct json_writer *writer, const struct inspected *inspected,
			const struct holder *in, unsigned int depth)
{
	const struct holder *holder;
	size_t i;

	for (i = 0; i < in->nholders; i++) {
		holder = &in->holders[i];
		json__open_map(writer);
		json__text_member(writer, "path", holder->path);
		json__text_member(writer, "type", holder->type);
		json__integer_member(writer, "depth", depth);
		put_amounts(writer, holder->count, holder->bytes, holder->retained_bytes);
		if (inspected->first)
			json__integer_member(writer, "retained_bytes_change",
					     inspected__holder_growth(inspected, holder));
		json__close_map(writer);
		put_holders(writer, inspected, holder, depth + 1);
	}
}

static void put_instances(struct json_writer *writer, const struct instances *instances)
{
	size_t i;

	json__string(writer, "instances");
	json__open_map(writer);
	json__text_member(writer, "type", instances->type);
	put_amounts(writer, instances->count, instances->bytes, instances->retained_bytes);
	json__integer_member(writer, "unreached", instances->unreached);
	json__string(writer, "paths");
	json__open_array(writer);
	for (i = 0; i < instances->npaths; i++) {
		json__open_map(writer);
		json__text_member(writer, "path", instances->paths[i].path);
		put_amounts(writer, instances->paths[i].count, instances->paths[i].bytes,
			    instances->paths[i].retained_bytes);
		json__close_map(writer);
	}
	json__close_array(writer);
	json__string(writer, "samples");
	json__open_array(writer);
	for (i = 0; i < instances->nsamples; i++)
		json__string(writer, instances->samples[i]);
	json__close_array(writer);
	json__close_map(writer);
}

static void put_residence(struct json_writer *writer, const struct residence *residence)
{
	const struct malloc_heaps *heaps = &residence->malloc;

	json__integer_member(writer, "anonymous_bytes", residence->anonymous);
	json__integer_member(writer, "file_bytes", residence->files);
	json__integer_member(writer, "shared_bytes", residence->shared);
	json__integer_member(writer, "resident_pool_bytes", residence->pools);
	json__integer_member(writer, "malloc_heaps", heaps->n);
	json__integer_member(writer, "malloc_unclear_heaps", heaps->unclear);
	json__integer_member(writer, "malloc_resident_bytes", heaps->resident);
	json__integer_member(writer, "malloc_free_bytes", heaps->free);
	json__integer_member(writer, "malloc_free_blocks", heaps->free_blocks);
	json__integer_member(writer, "malloc_largest_free_bytes", heaps->largest_free);
	json__integer_member(writer, "malloc_trimmable_bytes", heaps->trimmable);
}

static void put_process(struct json_writer *writer, const struct inspected *inspected)
{
	const struct census *census = inspected->now;
	struct census_type gone;
	size_t i;

	json__open_map(writer);
	json__integer_member(writer, "pid", inspected->pid);
	json__text_member(writer, "comm", inspected->comm);
	json__text_member(writer, "cmdline", inspected->cmdline);
	json__text_member(writer, "python", inspected->version);
	json__integer_member(writer, inspected->is_core ? "dumped_bytes" : "rss_bytes",
			     inspected->rss);
	if (inspected->is_core)
		json__integer_member(writer, "missing_bytes", inspected->missing);
	put_residence(writer, &census->residence);
	json__integer_member(writer, "objects", census->count);
	json__integer_member(writer, "bytes", census->bytes);
	json__integer_member(writer, "pool_bytes", census->pool_bytes);
	json__integer_member(writer, "swapped_bytes", census->swapped_bytes);
	json__integer_member(writer, "left_out", census->left_out);
	json__integer_member(writer, "torn_pools", census->torn);
	json__string(writer, "types");
	json__open_array(writer);
	for (i = 0; i < census->ntypes; i++)
		put_type(writer, inspected, &census->types[i]);
	/* What was there, and is there no more. */
	for (i = 0; inspected->first && i < inspected->first->ntypes; i++) {
		gone = inspected->first->types[i];
		gone.count = gone.bytes = 0;
		if (!census__find(census, &gone))
			put_type(writer, inspected, &gone);
	}
	json__close_array(writer);
	if (census->holders) {
		json__integer_member(writer, "retained_bytes", census->holders->retained_bytes);
		json__string(writer, "holders");
		json__open_array(writer);
		put_holders(writer, inspected, census->holders, 0);
		json__close_array(writer);
	}
	if (census->instances)
		put_instances(writer, census->instances);
	json__close_map(writer);
}

static int render(const struct inspected *all, size_t n, size_t top, FILE *out)
{
	struct json_writer *writer = json_writer__new(out);
	size_t i;

	(void)top;
	if (!writer)
		return -ENOMEM;
	json__open_map(writer);
	json__string_member(writer, "schema", OBJECTS_SCHEMA);
	json__string_member(writer, "version", PYMEMTOP_VERSION);
	json__string(writer, "processes");
	json__open_array(writer);
	for (i = 0; i < n; i++) {
		if (all[i].now)
			put_process(writer, &all[i]);
	}
	json__close_array(writer);
	json__close_map(writer);
	return json_writer__end(writer);
}

const struct objects_renderer objects_json_renderer = {
	.name = "json",
	.ending = ".json",
	.render = render,
};
