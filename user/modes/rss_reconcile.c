// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "collect/bpf_maps.h"
#include "inspect/pagemap.h"
#include "modes/page_difference.h"
#include "modes/rss_reconcile.h"

/* Microseconds from seeing a fault until its page is there, all but always: the kernel has to find
 * and clear a huge page. */
#define FAULT_US 20000

/* Regions to look at between two looks at the clock. */
#define CLOCK_STEP 64

struct subject {
	struct pagemap *pagemap; /* NULL: not opened, or cannot be */
	bool refused;
	bool met;
	uint64_t shared_pages;	      /* of shared mappings, at the end of the last pass */
	uint64_t passed_shared_pages; /* so far in this one */
};

/* A region whose record and pages differed at the first look. */
struct suspect {
	uint64_t index;
	uint32_t faults;
	bool lacks_pages;
};

struct reconciler {
	const struct bpf_map *map;
	int program;
	struct page_correction *correction;
	const struct counters *counters;
	unsigned int sample;
	struct subject subjects[MAX_PROCESSES]; /* by process id */
	/* The pass under way: the process, the region, and the regions on record. */
	__u32 id;
	uint64_t index;
	uint64_t *keys; /* sorted */
	size_t nkeys, key;
	struct suspect *suspects;
	size_t nsuspects, suspect_room;
};

struct reconciler *reconciler__new(const struct bpf_object *object,
				   struct page_correction *correction,
				   const struct counters *counters, unsigned int sample)
{
	struct reconciler *reconciler = calloc(1, sizeof(*reconciler));

	if (!reconciler)
		return NULL;
	reconciler->map = bpf_object__find_map_by_name(object, "page_regions");
	reconciler->program =
		bpf_program__fd(bpf_object__find_program_by_name(object, "pymemtop_pages"));
	reconciler->correction = correction;
	reconciler->counters = counters;
	reconciler->sample = sample;
	return reconciler;
}

void reconciler__free(struct reconciler *reconciler)
{
	size_t id;

	if (!reconciler)
		return;
	for (id = 0; id < MAX_PROCESSES; id++)
		pagemap__free(reconciler->subjects[id].pagemap);
	free(reconciler->keys);
	free(reconciler->suspects);
	free(reconciler);
}

void reconciler__forget(struct reconciler *reconciler, __u32 id)
{
	pagemap__free(reconciler->subjects[id].pagemap);
	reconciler->subjects[id] = (struct subject){0};
}

bool reconciler__can_look(const struct reconciler *reconciler, size_t id)
{
	return !reconciler->subjects[id].refused;
}

uint64_t reconciler__shared_bytes(const struct reconciler *reconciler, size_t id)
{
	return reconciler->subjects[id].shared_pages << PAGE_SHIFT;
}

static uint64_t key_of(__u32 id, uint64_t index)
{
	return (uint64_t)id << REGION_KEY_SHIFT | index;
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Lists the regions on record. Returns 0 or -ENOMEM. */
static int list_keys(struct reconciler *reconciler)
{
	void *keys;
	int err = map__keys(reconciler->map, &keys, &reconciler->nkeys);

	if (err)
		return err;
	free(reconciler->keys);
	reconciler->keys = keys;
	reconciler->key = 0;
	qsort(keys, reconciler->nkeys, sizeof(*reconciler->keys), compare_keys);
	return 0;
}

/* Gives up looking at a process's pages. One that has only ended is no news. */
static void refuse(struct reconciler *reconciler, __u32 id, int err)
{
	size_t n;

	if (err == -ENOENT || err == -ESRCH)
		return;
	reconciler->subjects[id].refused = true;
	pagemap__free(reconciler->subjects[id].pagemap);
	reconciler->subjects[id].pagemap = NULL;
	log_error(
		"/proc/%d/pagemap cannot be read: %s; pages that come or go without a fault (huge "
		"pages, swap) stay uncorrected",
		counters__processes(reconciler->counters, &n)[id].pid, strerror(-err));
}

/* Returns the pagemap of a running process, or NULL if there is none that can be read. */
static struct pagemap *open_subject(struct reconciler *reconciler, __u32 id)
{
	struct subject *subject = &reconciler->subjects[id];
	const struct process_counters *counters;
	size_t n;
	int err;

	counters = &counters__processes(reconciler->counters, &n)[id];
	if (counters->state != PROCESS_RUNNING || !counters->pid) {
		pagemap__free(subject->pagemap);
		subject->pagemap = NULL;
		return NULL;
	}
	if (subject->pagemap || subject->refused)
		return subject->pagemap;
	err = pagemap__new(address_space__of_process(counters->pid),
			   PAGEMAP_MAY_SCAN | PAGEMAP_SHARED, &subject->pagemap);
	if (err)
		refuse(reconciler, id, err);
	return subject->pagemap;
}

/* Returns 0 or -errno. */
static int read_region(const struct reconciler *reconciler, uint64_t key,
		       struct page_region *region)
{
	return bpf_map_lookup_elem(bpf_map__fd(reconciler->map), &key, region);
}

/* Has the BPF program correct a region. Returns whether it did. */
static bool correct(struct reconciler *reconciler, uint64_t key, uint32_t faults, uint32_t owner,
		    const uint64_t *pages)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct page_correction *correction = reconciler->correction;

	correction->key = key;
	correction->faults = faults;
	correction->owner = owner;
	memcpy(correction->pages, pages, sizeof(correction->pages));
	return !bpf_prog_test_run_opts(reconciler->program, &options) &&
	       *(volatile __u64 *)&correction->done;
}

/* Returns the one owner of pages [first, last), 0 if they have none, or PAGE_BEFORE if they have
 * several, or one from before. */
static uint32_t only_owner(const struct page_region *region, size_t first, size_t last)
{
	uint32_t owner, only = 0;

	for (; first < last; first++) {
		owner = region->owner[first] & ~PAGE_FLAGS;
		if (!owner)
			continue;
		if (only && owner != only)
			return PAGE_BEFORE;
		only = owner;
	}
	return only;
}

/* A range of pages in a region. */
struct page_bounds {
	size_t first, last; /* last: one past the end */
};

/* Returns the pages of the mapping that the page is in, or if it is in none any more, itself. */
static struct page_bounds mapping_around(struct pagemap *pagemap, uint64_t index, size_t at)
{
	uint64_t base = index << REGION_SHIFT, start, end;
	struct page_bounds bounds = {at, at + 1};

	if (pagemap__mapping(pagemap, base + ((uint64_t)at << PAGE_SHIFT), &start, &end))
		return bounds;
	bounds.first = start > base ? (start - base) >> PAGE_SHIFT : 0;
	bounds.last = end - base < 1ULL << REGION_SHIFT ? (end - base) >> PAGE_SHIFT : REGION_PAGES;
	return bounds;
}

/*
 * Guesses who made an unseen page resident. A fault brings in an aligned block of pages, as large
 * as the kernel sees fit, of one mapping. So the owner is whoever has the pages of the smallest
 * block around it that has an owner at all. Returns 0 if that block has several owners, or nobody
 * is found.
 */
static uint32_t guess_owner(const struct page_region *region, struct page_bounds within, bool huge,
			    size_t at)
{
	size_t size, first, last;
	uint32_t owner = 0;

	for (size = huge ? REGION_PAGES : 2; size <= REGION_PAGES && !owner; size *= 2) {
		first = at & ~(size - 1);
		last = first + size < within.last ? first + size : within.last;
		owner = only_owner(region, first > within.first ? first : within.first, last);
	}
	return owner == PAGE_BEFORE ? 0 : owner;
}

/* What adopt() is told about a region. */
struct adoption {
	uint64_t key;
	const struct page_region *region;
	struct pagemap *pagemap;
	bool huge;
	bool first;   /* the process is new, and what it has is from before */
	bool guesses; /* no call is giving small pages to a line at the moment */
};

/* Finds owners for unseen pages, one owner at a time; they get these flags. */
static void adopt(struct reconciler *reconciler, const struct adoption *adoption,
		  const uint64_t *unseen, uint32_t flags)
{
	uint64_t left[REGION_WORDS], pages[REGION_WORDS];
	uint64_t index = adoption->key & ((1ULL << REGION_KEY_SHIFT) - 1);
	struct page_bounds within;
	uint32_t owner, guess;
	size_t at;

	memcpy(left, unseen, sizeof(left));
	while (pages__are_any(left)) {
		memset(pages, 0, sizeof(pages));
		within = (struct page_bounds){0};
		for (at = 0, owner = 0; at < REGION_PAGES; at++) {
			if (!pages__have(left, at))
				continue;
			if (at >= within.last)
				within = mapping_around(adoption->pagemap, index, at);
			/* Sampling leaves pages unseen that others touched. */
			guess = adoption->huge || (adoption->guesses && !adoption->first &&
						   reconciler->sample == 1)
					? guess_owner(adoption->region, within, adoption->huge, at)
					: 0;
			if (!guess && adoption->first)
				guess = PAGE_BEFORE;
			if (owner && guess != owner)
				continue;
			left[at / 64] &= ~(1ULL << (at % 64));
			if (!guess)
				continue;
			owner = guess;
			pages__add(pages, at);
		}
		if (owner)
			correct(reconciler, adoption->key, adoption->region->faults, owner | flags,
				pages);
	}
}

/* What was swapped out before the first look is from before. */
static void adopt_away(struct reconciler *reconciler, const struct adoption *adoption,
		       const uint64_t *away)
{
	uint32_t faults = adoption->region->faults;

	if (adoption->first && pages__are_any(away) &&
	    correct(reconciler, adoption->key, faults, PAGE_BEFORE, away))
		correct(reconciler, adoption->key, faults, PAGE_AWAY, away);
}

/* Whether the process was still there when the region was looked at just now. While a process ends,
 * all its pages go; what it had before that is reported. */
static bool was_there(const struct reconciler *reconciler, __u32 id,
		      const struct residency *residency)
{
	const struct process_counters *counters;
	size_t n;

	counters = &counters__processes(reconciler->counters, &n)[id];
	return pages__are_any(residency->resident) || pages__are_any(residency->shared)
		       ? *(volatile const __u32 *)&counters->state == PROCESS_RUNNING
		       : process__has_memory(counters);
}

/* Looks at a region once more, and corrects it. No page leaves if there were faults since the first
 * look: their pages may not be there yet. */
static int reconcile_region(struct reconciler *reconciler, __u32 id, const struct suspect *suspect)
{
	static const struct page_region none;
	struct subject *subject = &reconciler->subjects[id];
	uint64_t key = key_of(id, suspect->index);
	struct page_region region;
	struct residency residency;
	struct page_difference d;
	const volatile struct process_counters *counters;
	struct adoption adoption;
	uint64_t populates_ended;
	bool known;
	size_t n;
	int err;

	counters = &counters__processes(reconciler->counters, &n)[id];
	populates_ended = counters->populates_ended;
	known = !read_region(reconciler, key, &region);
	if (!known)
		region = none;
	err = pagemap__region(subject->pagemap, suspect->index, &residency);
	if (err)
		return err;
	page_difference__find(known ? &region : NULL, &residency, &d);
	if (d.any && region.faults == suspect->faults && was_there(reconciler, id, &residency))
		correct(reconciler, key, region.faults, 0, d.gone);
	if (pages__are_any(d.away))
		correct(reconciler, key, region.faults, PAGE_AWAY, d.away);
	if (pages__are_any(d.own))
		correct(reconciler, key, region.faults, PAGE_BEFORE, d.own);
	if (pages__are_any(d.shared))
		correct(reconciler, key, region.faults, PAGE_SHARED, d.shared);
	adoption = (struct adoption){
		.key = key,
		.region = &region,
		.pagemap = subject->pagemap,
		.huge = residency.huge,
		.first = !subject->met,
		.guesses = counters->populates_begun == populates_ended,
	};
	adopt(reconciler, &adoption, d.unseen, 0);
	adopt(reconciler, &adoption, d.unseen_shared, PAGE_SHARED);
	adopt_away(reconciler, &adoption, d.unseen_away);
	return 0;
}

/* A fault is seen before its page is there, so one look cannot tell that a page has left. */
static int reconcile_suspects(struct reconciler *reconciler, __u32 id)
{
	size_t i;
	int err = 0;

	for (i = 0; i < reconciler->nsuspects && !reconciler->suspects[i].lacks_pages; i++)
		;
	if (i < reconciler->nsuspects)
		usleep(FAULT_US);
	for (i = 0; !err && i < reconciler->nsuspects; i++)
		err = reconcile_region(reconciler, id, &reconciler->suspects[i]);
	reconciler->nsuspects = 0;
	return err;
}

/* Looks at a region for the first time. residency is NULL if nothing is resident in it. Returns 0
 * or -ENOMEM. */
static int look_at_region(struct reconciler *reconciler, __u32 id, uint64_t index, bool known,
			  const struct residency *residency)
{
	static const struct residency nothing;
	uint64_t key = key_of(id, index);
	struct page_region region;
	struct suspect *more;
	struct page_difference d;

	known = known && !read_region(reconciler, key, &region);
	page_difference__find(known ? &region : NULL, residency ? residency : &nothing, &d);
	if (!d.any && !pages__are_any(d.unseen) && !pages__are_any(d.unseen_shared) &&
	    !(pages__are_any(d.unseen_away) && !reconciler->subjects[id].met))
		return 0;
	/* Their owner was not found before, and nothing has happened since that would help. */
	if (!known && reconciler->subjects[id].met)
		return 0;
	if (reconciler->nsuspects == reconciler->suspect_room) {
		reconciler->suspect_room =
			reconciler->suspect_room ? 2 * reconciler->suspect_room : 256;
		more = reallocarray(reconciler->suspects, reconciler->suspect_room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		reconciler->suspects = more;
	}
	reconciler->suspects[reconciler->nsuspects++] = (struct suspect){
		.index = index,
		.faults = known ? region.faults : 0,
		.lacks_pages = pages__are_any(d.gone),
	};
	return 0;
}

/* Looks at the process's regions, from reconciler->index on, until the deadline. Returns 1 at its
 * end, 0 if there is more, or -errno. */
static int look_through(struct reconciler *reconciler, __u32 id, double deadline)
{
	struct subject *subject = &reconciler->subjects[id];
	struct pagemap *pagemap = subject->pagemap;
	uint64_t known, next;
	struct residency residency;
	int found, err, step = 0;

	found = pagemap__next(pagemap, reconciler->index, &residency);
	for (;;) {
		while (reconciler->key < reconciler->nkeys &&
		       reconciler->keys[reconciler->key] < key_of(id, reconciler->index))
			reconciler->key++;
		known = reconciler->key < reconciler->nkeys &&
					reconciler->keys[reconciler->key] >> REGION_KEY_SHIFT == id
				? reconciler->keys[reconciler->key] &
					  ((1ULL << REGION_KEY_SHIFT) - 1)
				: UINT64_MAX;
		if (found < 0)
			return found;
		next = found && residency.index < known ? residency.index : known;
		if (next == UINT64_MAX)
			return 1;
		err = look_at_region(reconciler, id, next, known == next,
				     found && residency.index == next ? &residency : NULL);
		if (err)
			return err;
		if (found && residency.index == next)
			subject->passed_shared_pages += pages__count(residency.shared);
		reconciler->index = next + 1;
		if (found && residency.index == next)
			found = pagemap__next(pagemap, reconciler->index, &residency);
		if (++step % CLOCK_STEP == 0 && clock_seconds(CLOCK_MONOTONIC) > deadline)
			return 0;
	}
}

/* Looks at one process, from where the pass is. Returns 1 at its end, 0 at the deadline, or -errno;
 * that a process ends meanwhile is no error. */
static int look_on(struct reconciler *reconciler, __u32 id, double deadline)
{
	struct subject *subject = &reconciler->subjects[id];
	struct pagemap *pagemap = open_subject(reconciler, id);
	int err, ended;

	if (!pagemap)
		return 1;
	err = pagemap__refresh(pagemap);
	reconciler->nsuspects = 0;
	if (!reconciler->index)
		subject->passed_shared_pages = 0;
	ended = err ? err : look_through(reconciler, id, deadline);
	err = ended < 0 ? ended : reconcile_suspects(reconciler, id);
	if (err == -ENOMEM)
		return err;
	if (err) {
		refuse(reconciler, id, err);
		return 1;
	}
	subject->met |= ended;
	if (ended)
		subject->shared_pages = subject->passed_shared_pages;
	return ended;
}

int reconciler__meet(struct reconciler *reconciler)
{
	__u32 pass_id = reconciler->id, id;
	uint64_t pass_index = reconciler->index;
	bool listed = false;
	size_t n;
	int err = 0;

	counters__processes(reconciler->counters, &n);
	for (id = 1; err >= 0 && id < n; id++) {
		/* This also closes the pagemap of one that has ended. */
		if (!open_subject(reconciler, id) || reconciler->subjects[id].met)
			continue;
		reconciler->id = id;
		reconciler->index = reconciler->key = 0;
		err = listed ? 0 : list_keys(reconciler);
		listed = true;
		if (!err)
			err = look_on(reconciler, id, __builtin_inf());
	}
	reconciler->id = pass_id;
	reconciler->index = pass_index;
	return err < 0 ? err : 0;
}

int reconciler__look(struct reconciler *reconciler, double seconds)
{
	double deadline = clock_seconds(CLOCK_MONOTONIC) + seconds;
	size_t n;
	int ended, err = list_keys(reconciler);

	counters__processes(reconciler->counters, &n);
	if (err)
		return err;
	for (; reconciler->id < n; reconciler->id++, reconciler->index = 0) {
		ended = reconciler->id ? look_on(reconciler, reconciler->id, deadline) : 1;
		if (ended <= 0)
			return ended;
	}
	reconciler->id = 0;
	return 0;
}
