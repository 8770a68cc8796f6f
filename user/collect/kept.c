// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/kept.h"
#include "inspect/block_reader.h"
#include "inspect/pools.h"
#include "inspect/types.h"

/* Looks until something is old enough. What is there half of the time, as the result of a request
 * that the next one's replaces, passes one in 16 million times. */
#define LOOKS 24

/* Things of one window that are looked at; of more, one in so many. */
#define MOST_THINGS (1 << 16)

/* Of an object's content that is compared. */
#define MOST_CONTENT 96

/* Blocks from there on are few. */
#define LARGE_BLOCK (32 << 10)

/* If fewer of so many blocks look like malloc's, it is another one. */
#define LEAST_BLOCKS 64

struct item {
	struct kept_thing thing;
	uint64_t type, content; /* slots: of the object, as far as it cannot change */
	bool is_new, confirmed;
};

/* What was made in one window. */
struct cohort {
	double end, weight, span;
	struct item *items;
	size_t n;
};

struct estimate {
	double allocated_bytes, allocated_count, kept_bytes, kept_count;
	uint64_t seen_bytes, seen_count; /* allocated in windows, up to the last one's end */
	__u32 pending;
};

struct subject {
	uint32_t pool_size;
	pid_t pid;
	uint64_t rss; /* when it was first looked at */
	struct pool_reader *pools;
	struct block_reader *blocks;
	struct type_table *types;
	bool no_blocks; /* its malloc is none that we know */
};

/* Kept objects of a type of a site, in a <search.h> tree. */
struct kept_type {
	__u32 site;
	double bytes, count;
	char name[];
};

struct kept {
	size_t most_sites;
	double min_age, next_look;
	struct item *added;
	size_t nadded, room, skipped;
	double scale;	     /* of all weights */
	double total;	     /* what is to be estimated, in the unit of spans */
	double ended, taken; /* spans of all windows, and of those whose things are old enough */
	double share;	     /* how many each of them stands for */
	struct cohort *cohorts;
	size_t ncohorts;
	struct estimate *sites;
	struct subject subjects[MAX_PROCESSES];
	void *types;
	size_t ntypes;
	unsigned int seed;
};

struct kept *kept__new(size_t most_sites, double min_age)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->most_sites = most_sites;
	kept->min_age = min_age;
	kept->scale = 1;
	kept->next_look = INFINITY;
	kept->sites = calloc(most_sites, sizeof(*kept->sites));
	if (!kept->sites) {
		free(kept);
		return NULL;
	}
	return kept;
}

static void close_subject(struct subject *subject)
{
	pool_reader__free(subject->pools);
	block_reader__free(subject->blocks);
	type_table__free(subject->types);
	*subject = (struct subject){.pool_size = subject->pool_size};
}

void kept__free(struct kept *kept)
{
	size_t i;

	if (!kept)
		return;
	for (i = 0; i < MAX_PROCESSES; i++)
		close_subject(&kept->subjects[i]);
	for (i = 0; i < kept->ncohorts; i++)
		free(kept->cohorts[i].items);
	tdestroy(kept->types, free);
	free(kept->cohorts);
	free(kept->added);
	free(kept->sites);
	free(kept);
}

void kept__meet(struct kept *kept, __u32 process, uint32_t pool_size)
{
	kept->subjects[process].pool_size = pool_size;
}

void kept__forget(struct kept *kept, __u32 process)
{
	close_subject(&kept->subjects[process]);
	kept->subjects[process].pool_size = 0;
}

int kept__add(struct kept *kept, const struct kept_thing *thing)
{
	struct item *more;
	size_t room, at;

	if (!thing->site || thing->site >= kept->most_sites || thing->process >= MAX_PROCESSES)
		return 0;
	if (kept->nadded == MOST_THINGS) {
		/* Each has the same chance to stay. */
		kept->skipped++;
		at = rand_r(&kept->seed) % (kept->nadded + kept->skipped);
		if (at < kept->nadded)
			kept->added[at] = (struct item){.thing = *thing, .is_new = true};
		return 0;
	}
	if (kept->nadded == kept->room) {
		room = 2 * kept->room + 1024;
		more = reallocarray(kept->added, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		kept->added = more;
		kept->room = room;
	}
	kept->added[kept->nadded++] = (struct item){.thing = *thing, .is_new = true};
	return 0;
}

void kept__count(struct kept *kept, __u32 site, uint64_t bytes, uint64_t count, double weight)
{
	struct estimate *estimate = &kept->sites[site];

	if (count == estimate->seen_count && bytes == estimate->seen_bytes)
		return;
	estimate->allocated_bytes += weight * (double)(bytes - estimate->seen_bytes);
	estimate->allocated_count += weight * (double)(count - estimate->seen_count);
	estimate->seen_bytes = bytes;
	estimate->seen_count = count;
}

/* By process and kind, then by address: a pool is read once. */
static int compare_items(const void *a, const void *b)
{
	const struct kept_thing *x = &((const struct item *)a)->thing;
	const struct kept_thing *y = &((const struct item *)b)->thing;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->is_slot != y->is_slot)
		return x->is_slot - y->is_slot;
	return x->address < y->address ? -1 : x->address > y->address;
}

static struct subject *open_subject(struct kept *kept, const struct process_counters *processes,
				    __u32 id)
{
	struct subject *subject = &kept->subjects[id];
	const struct process_counters *process = &processes[id];
	const struct address_space space = address_space__of_process(process->pid);

	if (!process->pid || process->state != PROCESS_RUNNING ||
	    (subject->pid && subject->pid != (pid_t)process->pid)) {
		close_subject(subject);
		return NULL;
	}
	if (!subject->pool_size && process->parent < MAX_PROCESSES)
		subject->pool_size = kept->subjects[process->parent].pool_size;
	if (!subject->pid)
		subject->rss = proc_rss(process->pid);
	subject->pid = process->pid;
	if (!subject->pools && subject->pool_size &&
	    pool_reader__new(space, subject->pool_size, &subject->pools))
		subject->pools = NULL;
	if (!subject->blocks && block_reader__new(space, &subject->blocks))
		subject->blocks = NULL;
	if (!subject->types)
		subject->types = type_table__new(space);
	return subject;
}

/* What cannot change in an object while it lives, hashed: of a number, a text, bytes or a tuple;
 * and all of what is no object, such as a dict's table, in which a change cannot be told from
 * another one. Of other objects it is 0. Hashes within are left out: they come when they are first
 * asked for. */
static uint64_t content_of(const struct type *type, const uint8_t *object, size_t n)
{
	size_t from = type ? OBJECT_HEAD : 0, skipped = 0, i;
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	switch (type ? type->kind : KIND_TUPLE) {
	case KIND_STR:
	case KIND_BYTES:
		skipped = from + 8; /* of the length follows the hash */
		break;
	case KIND_INT:
	case KIND_TUPLE:
		break;
	default:
		if (strcmp(type->name, "float") != 0)
			return 0;
	}
	n = n < MOST_CONTENT ? n : MOST_CONTENT;
	for (i = from; i < n; i++) {
		if (i < skipped || i >= skipped + 8 || !skipped)
			hash = (hash ^ object[i]) * 1099511628211ULL;
	}
	return hash;
}

/* Whether the item's slot is taken, and by the object that was there before. */
static bool is_taken(struct subject *subject, const struct pool *pool, struct item *item)
{
	uint64_t offset = item->thing.address - pool->address - sizeof(struct pool_header);
	const uint8_t *slot = pool->bytes + sizeof(struct pool_header) + offset;
	uint64_t address, content;
	const struct type *type;
	size_t head;

	if (offset % pool->slot_size || offset / pool->slot_size >= pool->nslots ||
	    !pool->live[offset / pool->slot_size] ||
	    (item->thing.bytes && pool->slot_size != item->thing.bytes))
		return false;
	item->thing.bytes = pool->slot_size;
	type = type_table__of_slot(subject->types, slot, pool->slot_size, &head);
	address = type ? type->address : 0;
	head = type ? head : 0;
	content = content_of(type, slot + head, pool->slot_size - head);
	if (!item->is_new && (item->type != address || item->content != content))
		return false;
	item->type = address;
	item->content = content;
	return true;
}

static void look_at_slots(struct subject *subject, struct item *items, size_t n, bool *lives)
{
	const struct pool *pool = NULL;
	uint64_t address, at = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		lives[i] = false;
		if (!subject->pools || !subject->types)
			continue;
		address = items[i].thing.address & ~(uint64_t)(subject->pool_size - 1);
		if (!pool || at != address) {
			pool = pool_reader__read(subject->pools, address);
			at = address;
		}
		lives[i] = pool && is_taken(subject, pool, &items[i]);
	}
}

/* first: at the first look nearly all of a known malloc's blocks are in use. */
static int look_at_blocks(struct subject *subject, const struct item *items, size_t n, bool first,
			  bool *lives)
{
	uint64_t *addresses = calloc(2 * n, sizeof(*addresses)), *sizes;
	size_t i, count = 0;

	memset(lives, 0, n * sizeof(*lives));
	if (!addresses)
		return -ENOMEM;
	sizes = addresses + n;
	for (i = 0; i < n; i++) {
		addresses[i] = items[i].thing.address;
		sizes[i] = items[i].thing.bytes;
	}
	if (!subject->blocks || block_reader__look(subject->blocks, addresses, sizes, n, lives))
		memset(lives, 0, n * sizeof(*lives));
	free(addresses);
	for (i = 0; i < n; i++)
		count += lives[i];
	if (first && n >= LEAST_BLOCKS && !count && !subject->no_blocks) {
		subject->no_blocks = true;
		log_error("process %d: its malloc is not glibc's: which of its blocks are kept "
			  "cannot be told, and all count as freed",
			  subject->pid);
	}
	return 0;
}

void kept__set_scale(struct kept *kept, double scale, double total)
{
	kept->scale = scale;
	kept->total = total;
}

/* What windows of that span stand for, as a part of all. */
static double scale_of(const struct kept *kept, double span)
{
	return span > 0 ? kept->scale * fmax(kept->total / span, 1) : kept->scale;
}

static int compare_types(const void *a, const void *b)
{
	const struct kept_type *x = a, *y = b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Counts what is kept by its type. 0 or -ENOMEM. */
static int count_type(struct kept *kept, const struct item *item, double weight)
{
	struct subject *subject = &kept->subjects[item->thing.process];
	const struct type *type = item->type ? type_table__at(subject->types, item->type) : NULL;
	const char *name = type ? type->name : "(no object)";
	struct kept_type *made = malloc(sizeof(*made) + strlen(name) + 1), **known;

	if (!made)
		return -ENOMEM;
	*made = (struct kept_type){.site = item->thing.site};
	strcpy(made->name, name);
	known = tsearch(made, &kept->types, compare_types);
	if (!known || *known != made)
		free(made);
	else
		kept->ntypes++;
	if (!known)
		return -ENOMEM;
	(*known)->bytes += weight * (double)item->thing.bytes;
	(*known)->count += weight;
	return 0;
}

/* A large block that happens to be made in a window, as a list's table that has grown, would stand
 * for hundreds: for no more than a tenth of what the process has grown by. */
static double weight_of(const struct kept *kept, const struct cohort *cohort,
			const struct item *item)
{
	const struct subject *subject = &kept->subjects[item->thing.process];
	double bytes = (double)item->thing.bytes * scale_of(kept, kept->taken), grown;

	if (item->thing.bytes < LARGE_BLOCK)
		return cohort->weight;
	grown = (double)proc_rss(subject->pid) - (double)subject->rss;
	return fmin(cohort->weight, fmax(grown / 10, (double)item->thing.bytes) / bytes);
}

/* What is old enough is kept. */
static int take_kept(struct kept *kept, const struct cohort *cohort)
{
	const struct item *item;
	struct estimate *estimate;
	double weight;
	int err = 0;

	kept->taken += cohort->span;
	for (item = cohort->items; !err && item < cohort->items + cohort->n; item++) {
		estimate = &kept->sites[item->thing.site];
		weight = weight_of(kept, cohort, item);
		estimate->kept_bytes += weight * (double)item->thing.bytes;
		estimate->kept_count += weight;
		estimate->pending--;
		if (item->thing.is_slot)
			err = count_type(kept, item, weight);
	}
	return err;
}

/* Looks at a part of a cohort that is of one process and one kind. */
static int look_at_part(struct kept *kept, const struct process_counters *processes,
			struct item *items, size_t n, bool *lives)
{
	struct subject *subject = open_subject(kept, processes, items->thing.process);

	if (!subject)
		memset(lives, 0, n * sizeof(*lives));
	else if (items->thing.is_slot)
		look_at_slots(subject, items, n, lives);
	else
		return look_at_blocks(subject, items, n, items->is_new, lives);
	return 0;
}

/* Looks at n items, which are sorted, and drops those that do not live any more. Returns how many
 * are left, or -ENOMEM. */
static ssize_t look_at(struct kept *kept, const struct process_counters *processes,
		       struct item *items, size_t n)
{
	bool *lives = malloc(n + 1);
	size_t at, end, left = 0;
	int err = lives ? 0 : -ENOMEM;

	for (at = 0; !err && at < n; at = end) {
		for (end = at + 1; end < n && items[end].thing.process == items[at].thing.process &&
				   items[end].thing.is_slot == items[at].thing.is_slot;
		     end++)
			;
		err = look_at_part(kept, processes, items + at, end - at, lives + at);
	}
	for (at = 0; !err && at < n; at++) {
		if (lives[at])
			items[left++] = items[at];
		else if (!items[at].is_new)
			kept->sites[items[at].thing.site].pending--;
	}
	free(lives);
	return err ? err : (ssize_t)left;
}

int kept__look_at_new(struct kept *kept, const struct process_counters *processes)
{
	ssize_t left;
	size_t i;

	kept->share =
		kept->nadded ? (double)(kept->nadded + kept->skipped) / (double)kept->nadded : 1;
	qsort(kept->added, kept->nadded, sizeof(*kept->added), compare_items);
	left = look_at(kept, processes, kept->added, kept->nadded);
	if (left < 0)
		return (int)left;
	kept->nadded = left;
	for (i = 0; i < kept->nadded; i++)
		kept->added[i].is_new = false;
	return 0;
}

int kept__confirm(struct kept *kept, const struct kept_thing *thing)
{
	struct item key = {.thing = *thing}, *known;

	known = kept->nadded ? bsearch(&key, kept->added, kept->nadded, sizeof(key), compare_items)
			     : NULL;
	/* A slot's size was not known before the look. */
	if (known && known->thing.site == thing->site &&
	    (thing->is_slot || known->thing.bytes == thing->bytes))
		known->confirmed = true;
	return 0;
}

int kept__end_window(struct kept *kept, double weight, double span)
{
	struct cohort *more = reallocarray(kept->cohorts, kept->ncohorts + 1, sizeof(*more));
	struct item *item;
	size_t n = 0;

	if (!more)
		return -ENOMEM;
	kept->cohorts = more;
	more += kept->ncohorts++;
	for (item = kept->added; item < kept->added + kept->nadded; item++) {
		if (!item->confirmed)
			continue;
		kept->sites[item->thing.site].pending++;
		kept->added[n++] = *item;
	}
	*more = (struct cohort){
		.end = clock_seconds(CLOCK_MONOTONIC),
		.weight = weight * kept->share,
		.span = span,
		.items = kept->added,
		.n = n,
	};
	kept->added = NULL;
	kept->ended += span;
	kept->nadded = kept->room = kept->skipped = 0;
	if (isinf(kept->next_look))
		kept->next_look = more->end;
	return 0;
}

int kept__look(struct kept *kept, const struct process_counters *processes)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	struct cohort *cohort;
	size_t i, n = 0;
	ssize_t left;
	int err = 0;

	if (now < kept->next_look)
		return 0;
	for (i = 0; i < kept->ncohorts; i++) {
		cohort = &kept->cohorts[i];
		left = err ? (ssize_t)cohort->n
			   : look_at(kept, processes, cohort->items, cohort->n);
		if (left < 0)
			err = (int)left;
		else
			cohort->n = left;
		if (!err && now - cohort->end >= kept->min_age) {
			err = take_kept(kept, cohort);
			cohort->span = -1; /* it is done */
		}
		if (cohort->span >= 0)
			kept->cohorts[n++] = *cohort;
		else
			free(cohort->items);
	}
	kept->ncohorts = n;
	/* At no fixed interval, as the program may have one, too. */
	kept->next_look = n ? clock_seconds(CLOCK_MONOTONIC) +
					  kept->min_age / LOOKS *
						  (0.5 + rand_r(&kept->seed) / (double)RAND_MAX)
			    : INFINITY;
	return err;
}

double kept__due(const struct kept *kept)
{
	return kept->next_look;
}

struct site_counters kept__site(const struct kept *kept, __u32 site)
{
	const struct estimate *estimate = &kept->sites[site];
	double old = scale_of(kept, kept->taken), all = scale_of(kept, kept->ended);
	uint64_t bytes = llround(estimate->kept_bytes * old);
	uint64_t count = llround(estimate->kept_count * old);
	struct site_counters counters = {
		.allocated_bytes = llround(estimate->allocated_bytes * all),
		.allocated_count = llround(estimate->allocated_count * all),
	};

	/* A sample of what lives can be a little more than what was counted. */
	counters.allocated_bytes =
		counters.allocated_bytes > bytes ? counters.allocated_bytes : bytes;
	counters.allocated_count =
		counters.allocated_count > count ? counters.allocated_count : count;
	counters.freed_bytes = counters.allocated_bytes - bytes;
	counters.freed_count = counters.allocated_count - count;
	return counters;
}

bool kept__is_settled(const struct kept *kept, __u32 site, uint64_t count)
{
	return !kept->sites[site].pending && count == kept->sites[site].seen_count;
}

struct type_search {
	__u32 site;
	struct kept_type *found; /* one of its types */
};

static void find_type(const void *node, VISIT visit, void *context)
{
	struct kept_type *type = *(struct kept_type *const *)node;
	struct type_search *search = context;

	if ((visit == postorder || visit == leaf) && type->site == search->site)
		search->found = type;
}

/* Another site will have the number. */
static void forget_types(struct kept *kept, __u32 site)
{
	struct type_search search = {.site = site};

	for (;;) {
		search.found = NULL;
		twalk_r(kept->types, find_type, &search);
		if (!search.found)
			return;
		tdelete(search.found, &kept->types, compare_types);
		free(search.found);
		kept->ntypes--;
	}
}

void kept__clear_site(struct kept *kept, __u32 site)
{
	if (kept->sites[site].kept_count > 0)
		forget_types(kept, site);
	kept->sites[site] = (struct estimate){0};
}

struct type_taker {
	struct snapshot *snapshot;
	double scale;
};

static void take_type(const void *node, VISIT visit, void *context)
{
	const struct kept_type *type = *(const struct kept_type *const *)node;
	const struct type_taker *taker = context;

	if (visit == postorder || visit == leaf)
		taker->snapshot->types[taker->snapshot->ntypes++] =
			(struct snapshot_type){type->site, type->name,
					       llround(type->count * taker->scale),
					       llround(type->bytes * taker->scale)};
}

int kept__take_types(const struct kept *kept, struct snapshot *snapshot)
{
	struct type_taker taker = {snapshot, scale_of(kept, kept->taken)};

	snapshot->types = calloc(kept->ntypes + 1, sizeof(*snapshot->types));
	if (!snapshot->types)
		return -ENOMEM;
	twalk_r(kept->types, take_type, &taker);
	return 0;
}
