// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/procfs.h"
#include "inspect/extents.h"
#include "inspect/page_scan.h"
#include "inspect/pagemap.h"
#include "target/core_file.h"

/* Entries of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_FRAME   ((1ULL << 55) - 1)
#define PM_FILE	   (1ULL << 61)
#define PM_SWAPPED (1ULL << 62)
#define PM_PRESENT (1ULL << 63)

#define REGION_SIZE (1ULL << REGION_SHIFT)

struct pagemap {
	struct address_space space;
	int fd; /* -1: of a core file */
	bool wants_shared;
	struct page_scan scan;
	uint64_t zero_frame;	/* the zero page's frame; 0: not known */
	struct extents hugetlb; /* not this process's own, though they look so */
	struct extents private; /* can have pages; listed when first needed */
	struct extents shared;	/* shared mappings; likewise */
	bool listed;
	struct proc_sizes sizes; /* as they were when these were listed */
	uint64_t faults;	 /* that the process had by then */
	bool has_shared;	 /* some were seen since */
};

/* Returns the zero page's frame, which is what a page that was only read maps, or 0. */
static uint64_t find_zero_frame(void)
{
	size_t size = sysconf(_SC_PAGESIZE);
	volatile char *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entry = 0;
	int fd;

	if (page == MAP_FAILED)
		return 0;
	(void)page[0];
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (uintptr_t)page / size * sizeof(entry)) !=
			      sizeof(entry))
		entry = 0;
	if (fd >= 0)
		close(fd);
	munmap((void *)page, size);
	return entry & PM_PRESENT ? entry & PM_FRAME : 0;
}

static int open_pagemap(struct pagemap *pagemap, bool may_scan)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pagemap->space.pid);
	pagemap->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap->fd < 0)
		return -errno;
	page_scan__begin(&pagemap->scan, pagemap->fd, may_scan);
	if (!pagemap->scan.works)
		pagemap->zero_frame = find_zero_frame();
	return 0;
}

int pagemap__new(struct address_space space, unsigned int options, struct pagemap **result)
{
	struct pagemap *pagemap = calloc(1, sizeof(*pagemap));
	int err = 0;

	if (!pagemap)
		return -ENOMEM;
	pagemap->space = space;
	pagemap->fd = -1;
	pagemap->scan.user_end = UINT64_MAX;
	pagemap->wants_shared = options & PAGEMAP_SHARED;
	if (!space.core)
		err = open_pagemap(pagemap, options & PAGEMAP_MAY_SCAN);
	if (err) {
		pagemap__free(pagemap);
		return err;
	}
	*result = pagemap;
	return 0;
}

void pagemap__free(struct pagemap *pagemap)
{
	if (!pagemap)
		return;
	if (pagemap->fd >= 0)
		close(pagemap->fd);
	extents__free(&pagemap->hugetlb);
	extents__free(&pagemap->private);
	extents__free(&pagemap->shared);
	free(pagemap);
}

/* Lists mappings of hugetlbfs, found in smaps, so that no mapped file must be opened. Returns 0 or
 * -errno. */
static int find_hugetlb(struct pagemap *pagemap)
{
	FILE *smaps = proc_smaps__open(pagemap->space.pid);
	struct proc_map map = {0}, next;
	char line[512];
	int err = 0;

	if (!smaps)
		return -errno;
	while (!err && fgets(line, sizeof(line), smaps)) {
		if (proc_map__parse(line, &next))
			map = next;
		else if (!strncmp(line, "VmFlags:", 8) && strstr(line, " ht"))
			err = extents__add(&pagemap->hugetlb, map.start, map.end);
	}
	fclose(smaps);
	return err;
}

/* Whether the file is one in memory: what a process only reads there counts as shared memory, even
 * if it is mapped privately. */
static bool is_in_memory(const struct proc_map *map)
{
	static const char *const names[] = {"/memfd:", "/dev/shm/", "/SYSV"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strncmp(map->path, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

/* Mappings that can have pages. Inaccessible ones are mostly reserved room, of any size. */
static int add_mapping(void *context, const struct proc_map *map)
{
	struct pagemap *pagemap = context;
	int err = 0;

	if (!map->is_accessible || map->start >= pagemap->scan.user_end)
		return 0;
	if (map->is_private)
		err = extents__add(&pagemap->private, map->start, map->end);
	if (!err && pagemap->wants_shared && (!map->is_private || is_in_memory(map)))
		err = extents__add(&pagemap->shared, map->start, map->end);
	return err;
}

/* What a core file has: its mappings can claim to be of any size. */
static int list_dumped(struct pagemap *pagemap)
{
	uint64_t start = 0, end = UINT64_MAX;
	int err = 0;

	while (!err && core_file__next_data(pagemap->space.core, &start, &end)) {
		err = extents__add(&pagemap->private, start, end);
		start = end;
		end = UINT64_MAX;
	}
	return err;
}

static int list_mappings(struct pagemap *pagemap)
{
	int err;

	extents__empty(&pagemap->private);
	extents__empty(&pagemap->shared);
	pagemap->has_shared = false;
	err = pagemap->space.core ? list_dumped(pagemap)
				  : address_space__visit_maps(pagemap->space, add_mapping, pagemap);
	pagemap->listed = !err;
	return err;
}

/* Where shared mappings are looked for, whether that has to be done again: to list the mappings
 * takes far longer than to ask for their size. */
static bool may_have_changed(struct pagemap *pagemap)
{
	struct proc_sizes sizes;
	uint64_t faults;
	bool changed;

	if (proc_sizes(pagemap->space.pid, &sizes))
		return true;
	changed = sizes.all != pagemap->sizes.all || sizes.shared != pagemap->sizes.shared;
	pagemap->sizes = sizes;
	/* One may have come in the place of another, of the same size: its pages took faults. */
	if (pagemap->has_shared) {
		faults = proc_minor_faults(pagemap->space.pid);
		changed |= faults != pagemap->faults;
		pagemap->faults = faults;
	}
	return changed;
}

int pagemap__refresh(struct pagemap *pagemap)
{
	bool lists = !pagemap->scan.works;
	int err = 0;

	extents__empty(&pagemap->hugetlb);
	page_scan__forget(&pagemap->scan);
	if (pagemap->wants_shared)
		lists |= may_have_changed(pagemap);
	pagemap->listed = false;
	if (!pagemap->space.core && proc_status_bytes(pagemap->space.pid, "HugetlbPages"))
		err = find_hugetlb(pagemap);
	return err || !lists ? err : list_mappings(pagemap);
}

static void set_pages(uint64_t *words, uint64_t first, uint64_t last)
{
	for (; first < last; first++)
		words[first / 64] |= 1ULL << (first % 64);
}

/* Adds the part of a range that lies in the region. */
static void add_range(struct residency *residency, const struct page_range *range)
{
	uint64_t base = residency->index << REGION_SHIFT;
	uint64_t start = range->start > base ? range->start : base;
	uint64_t end = range->end < base + REGION_SIZE ? range->end : base + REGION_SIZE;

	if (start >= end)
		return;
	set_pages(range->categories & PAGE_IS_PRESENT ? residency->resident : residency->away,
		  (start - base) >> PAGE_SHIFT, (end - base) >> PAGE_SHIFT);
	residency->huge |= range->categories & PAGE_IS_HUGE && end - start == REGION_SIZE;
}

static void begin_region(struct residency *residency, uint64_t index)
{
	memset(residency, 0, sizeof(*residency));
	residency->index = index;
}

/* The entries of a region's pages. */
struct entries {
	uint64_t of[REGION_PAGES];
	uint64_t first; /* the first one's page */
	size_t n;
};

/* Reads those of [start, end). Returns 0 or -errno. */
static int read_entries(struct pagemap *pagemap, uint64_t start, uint64_t end,
			struct entries *entries)
{
	ssize_t n;

	entries->first = start >> PAGE_SHIFT;
	n = pread(pagemap->fd, entries->of, ((end - start) >> PAGE_SHIFT) * sizeof(entries->of[0]),
		  entries->first * sizeof(entries->of[0]));
	entries->n = n < 0 ? 0 : n / sizeof(entries->of[0]);
	return n < 0 ? -errno : 0;
}

static void set_page(uint64_t *words, uint64_t page)
{
	page &= REGION_PAGES - 1;
	words[page / 64] |= 1ULL << (page % 64);
}

/* Reads the private pages of [start, end), which lies in the region, one by one. */
static int read_pages(struct pagemap *pagemap, uint64_t start, uint64_t end,
		      struct residency *residency)
{
	struct entries entries;
	uint64_t entry;
	size_t i;
	int err = read_entries(pagemap, start, end, &entries);

	for (i = 0; i < entries.n; i++) {
		entry = entries.of[i];
		if (entry & PM_FILE)
			continue;
		if (entry & PM_SWAPPED)
			set_page(residency->away, entries.first + i);
		else if (entry & PM_PRESENT &&
			 (!pagemap->zero_frame || (entry & PM_FRAME) != pagemap->zero_frame))
			set_page(residency->resident, entries.first + i);
	}
	return err;
}

/* The same for those of a shared mapping. */
static int read_shared_pages(struct pagemap *pagemap, uint64_t start, uint64_t end,
			     struct residency *residency)
{
	struct entries entries;
	size_t i;
	int err = read_entries(pagemap, start, end, &entries);

	for (i = 0; i < entries.n; i++) {
		if (entries.of[i] & PM_PRESENT && entries.of[i] & PM_FILE) {
			set_page(residency->shared, entries.first + i);
			pagemap->has_shared = true;
		}
	}
	return err;
}

/* Calls read() with each part of the extents that lies in the region. Returns 0, or what a call
 * returned that was not 0. */
static int read_parts(struct pagemap *pagemap, struct extents *extents, struct residency *residency,
		      int (*read)(struct pagemap *pagemap, uint64_t start, uint64_t end,
				  struct residency *residency))
{
	uint64_t base = residency->index << REGION_SHIFT, start, end;
	size_t i = extents__first_beyond(extents, base);
	int err = 0;

	for (; !err && i < extents->n && extents->extents[i].start < base + REGION_SIZE; i++) {
		start = extents->extents[i].start;
		end = extents->extents[i].end;
		err = read(pagemap, start > base ? start : base,
			   end < base + REGION_SIZE ? end : base + REGION_SIZE, residency);
	}
	return err;
}

static int add_dumped(struct pagemap *pagemap, uint64_t start, uint64_t end,
		      struct residency *residency)
{
	(void)pagemap;
	add_range(residency, &(struct page_range){start, end, PAGE_IS_PRESENT});
	return 0;
}

static int read_region(struct pagemap *pagemap, struct residency *residency)
{
	return read_parts(pagemap, &pagemap->private, residency,
			  pagemap->space.core ? add_dumped : read_pages);
}

static int add_shared(struct pagemap *pagemap, struct residency *residency)
{
	return read_parts(pagemap, &pagemap->shared, residency, read_shared_pages);
}

static int scan_region(struct pagemap *pagemap, struct residency *residency)
{
	uint64_t start = residency->index << REGION_SHIFT, end = start + REGION_SIZE;
	struct page_scan *scan = &pagemap->scan;
	size_t i;
	int err;

	if (end > scan->user_end)
		end = scan->user_end;
	while (start < end) {
		err = page_scan__do(scan, start, end);
		if (err)
			return err;
		for (i = 0; i < scan->nranges; i++)
			add_range(residency, &scan->ranges[i]);
		start = scan->end;
	}
	page_scan__forget(scan);
	return 0;
}

/* Removes pages of hugetlbfs. */
static void clear_hugetlb(const struct pagemap *pagemap, struct residency *residency)
{
	uint64_t base = residency->index << REGION_SHIFT, at;
	const struct extent *extent;
	size_t i, page;

	for (i = 0; i < pagemap->hugetlb.n; i++) {
		extent = &pagemap->hugetlb.extents[i];
		if (extent->end <= base || extent->start >= base + REGION_SIZE)
			continue;
		for (page = 0; page < REGION_PAGES; page++) {
			at = base + (page << PAGE_SHIFT);
			if (at < extent->start || at >= extent->end)
				continue;
			residency->resident[page / 64] &= ~(1ULL << (page % 64));
			residency->away[page / 64] &= ~(1ULL << (page % 64));
			residency->shared[page / 64] &= ~(1ULL << (page % 64));
		}
		residency->huge = false;
	}
}

int pagemap__region(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	int err;

	begin_region(residency, index);
	err = pagemap->scan.works ? scan_region(pagemap, residency)
				  : read_region(pagemap, residency);
	if (!err)
		err = add_shared(pagemap, residency);
	clear_hugetlb(pagemap, residency);
	return err;
}

static bool is_empty(const struct residency *residency)
{
	size_t i;

	for (i = 0; i < REGION_WORDS; i++) {
		if (residency->resident[i] || residency->away[i] || residency->shared[i])
			return false;
	}
	return true;
}

static int scan_next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	const struct page_range *range;
	uint64_t at = index << REGION_SHIFT, end;
	int err;

	range = page_scan__first_beyond(&pagemap->scan, at, &err);
	if (!range)
		return err;
	if (range->start > at)
		at = range->start;
	begin_region(residency, at >> REGION_SHIFT);
	end = (residency->index + 1) << REGION_SHIFT;
	while (range && range->start < end) {
		add_range(residency, range);
		if (range->end >= end)
			break;
		range = page_scan__first_beyond(&pagemap->scan, range->end, &err);
	}
	return err ? err : 1;
}

static int read_next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	const struct extent *extent;
	size_t i;
	int err;

	while ((i = extents__first_beyond(&pagemap->private, index << REGION_SHIFT)) <
	       pagemap->private.n) {
		extent = &pagemap->private.extents[i];
		if (extent->start >> REGION_SHIFT > index)
			index = extent->start >> REGION_SHIFT;
		begin_region(residency, index++);
		err = read_region(pagemap, residency);
		if (err)
			return err;
		if (!is_empty(residency))
			return 1;
	}
	return 0;
}

/* Returns the first region from that index on that a shared mapping is in; UINT64_MAX: none. */
static uint64_t next_shared(struct pagemap *pagemap, uint64_t index)
{
	size_t i = extents__first_beyond(&pagemap->shared, index << REGION_SHIFT);
	uint64_t first;

	if (i == pagemap->shared.n)
		return UINT64_MAX;
	first = pagemap->shared.extents[i].start >> REGION_SHIFT;
	return first > index ? first : index;
}

int pagemap__next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	uint64_t shared;
	int found, err;

	for (;; index = residency->index + 1) {
		found = pagemap->scan.works ? scan_next(pagemap, index, residency)
					    : read_next(pagemap, index, residency);
		shared = next_shared(pagemap, index);
		if (found < 0 || (!found && shared == UINT64_MAX))
			return found;
		if (!found || shared < residency->index)
			begin_region(residency, shared);
		err = add_shared(pagemap, residency);
		if (err)
			return err;
		clear_hugetlb(pagemap, residency);
		if (!is_empty(residency))
			return 1;
	}
}

int pagemap__mapping(struct pagemap *pagemap, uint64_t address, uint64_t *start, uint64_t *end)
{
	const struct extent *extent;
	int err = pagemap->listed ? 0 : list_mappings(pagemap);

	if (err)
		return err;
	extent = extents__around(&pagemap->private, address)
			 ?: extents__around(&pagemap->shared, address);
	if (!extent)
		return -ENOENT;
	*start = extent->start;
	*end = extent->end;
	return 0;
}
