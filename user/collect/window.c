// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "collect/bpf_maps.h"
#include "collect/counters.h"
#include "collect/kept.h"
#include "collect/window.h"

static void add_program_time(const struct bpf_program *program, struct program_time *time)
{
	const char *section = bpf_program__section_name(program);
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return;
	time->nanoseconds += info.run_time_ns;
	if (!strncmp(section, "uprobe", 6) || !strncmp(section, "uretprobe", 9))
		time->traps += info.run_cnt;
	else
		time->others += info.run_cnt;
}

struct program_time collectors__program_time(const struct collector_set *collectors)
{
	struct program_time time = {0};
	struct bpf_program *program;
	size_t i;

	for (i = 0; i < collectors->n; i++) {
		bpf_object__for_each_program (program, collectors->of[i]->object) {
			add_program_time(program, &time);
		}
	}
	return time;
}

/* Something that is found in the maps. */
struct finder {
	struct kept *kept;
	int (*found)(struct kept *kept, const struct kept_thing *thing);
};

static int take_page(void *context, const void *key_bytes, const void *value)
{
	const struct pool_page *page = value;
	struct kept_thing thing = {.is_slot = true};
	const struct finder *finder = context;
	uint64_t key, address;
	size_t i;
	int err = 0;

	memcpy(&key, key_bytes, sizeof(key));
	thing.process = key >> REGION_KEY_SHIFT;
	address = (key & ((1ULL << REGION_KEY_SHIFT) - 1)) << PAGE_SHIFT;
	for (i = 0; !err && i < POOL_PAGE_SLOTS; i++) {
		thing.site = page->site[i];
		thing.address = address + i * SMALLEST_SLOT;
		if (thing.site)
			err = finder->found(finder->kept, &thing);
	}
	return err;
}

/* See bpf/blocks.bpf.h. */
static int take_block(void *context, const void *key_bytes, const void *value)
{
	const struct finder *finder = context;
	struct kept_thing thing = {0};
	uint64_t key, block;

	memcpy(&key, key_bytes, sizeof(key));
	memcpy(&block, value, sizeof(block));
	thing.process = key >> PROCESS_KEY_SHIFT;
	thing.address = key & ((1ULL << PROCESS_KEY_SHIFT) - 1);
	thing.site = block >> BLOCK_SIZE_BITS;
	thing.bytes = block & ((1ULL << BLOCK_SIZE_BITS) - 1);
	return finder->found(finder->kept, &thing);
}

static const struct {
	const char *map;
	map_visitor take; /* NULL: it is only emptied */
} hashes[] = {
	{"pool_pages", take_page}, {"blocks", take_block}, {"mapped_regions", NULL},
	{"whole_regions", NULL},   {"mappings", NULL},
};

/* Visits what is in the maps; finder NULL: empties them. */
static int go_through(struct collector *collector, struct finder *finder)
{
	const struct bpf_map *map;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		map = bpf_object__find_map_by_name(collector->object, hashes[i].map);
		if (map && !finder)
			err = map__empty(map);
		else if (map && hashes[i].take)
			err = map__visit(map, hashes[i].take, finder);
	}
	map = bpf_object__find_map_by_name(collector->object, "block_table");
	if (!err && map && bpf_map__max_entries(map) > 1)
		err = block_table__visit(map, finder ? take_block : NULL, finder);
	return err;
}

/* Counts what the sites have allocated since the last time. */
static void count(struct collector *collector, double weight)
{
	size_t sites = counters__next_site(collector->counters), i;
	uint64_t bytes, n;

	for (i = 1; i < sites; i++) {
		collector__allocated(collector, i, &bytes, &n);
		kept__count(collector->kept, i, bytes, n, weight);
	}
}

int collector__begin_window(struct collector *collector)
{
	int err = go_through(collector, NULL);

	count(collector, 0);
	return err;
}

int collector__end_window(struct collector *collector, double weight, double span)
{
	const struct process_counters *processes;
	struct finder finder = {collector->kept, kept__add};
	size_t n;
	int err;

	processes = counters__processes(collector->counters, &n);
	count(collector, weight);
	err = go_through(collector, &finder);
	if (!err)
		err = kept__look_at_new(collector->kept, processes);
	finder.found = kept__confirm;
	if (!err)
		err = go_through(collector, &finder);
	return err ? err : kept__end_window(collector->kept, weight, span);
}
