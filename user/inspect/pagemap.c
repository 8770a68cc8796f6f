// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/procfs.h"
#include "inspect/pagemap.h"
#include "target/core_file.h"

/* Entries of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_FRAME   ((1ULL << 55) - 1)
#define PM_FILE	   (1ULL << 61)
#define PM_SWAPPED (1ULL << 62)
#define PM_PRESENT (1ULL << 63)

/* From uapi/linux/fs.h of Linux 6.7: newer than the oldest headers that we build with. */
#define PAGE_IS_FILE	(1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PAGE_IS_HUGE	(1 << 6)

struct page_range {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, ranges, nranges, max_pages;
	uint64_t inverted, all_of, any_of, returned;
};

#define SCAN_PAGEMAP _IOWR('f', 16, struct scan)

/* Ranges to get from the kernel at a time: 24 KiB. */
#define RANGES 1024

#define PAGE	    (1ULL << PAGE_SHIFT)
#define REGION_SIZE (1ULL << REGION_SHIFT)

/* Where a process's address space can end, by architecture and levels of page tables: the kernel
 * refuses a scan beyond it. */
static const uint64_t user_ends[] = {
	(1ULL << 56) - PAGE,
	1ULL << 52,
	1ULL << 48,
	(1ULL << 47) - PAGE,
};

struct extent {
	uint64_t start, end;
};

struct extents {
	struct extent *extents;
	size_t n;
};

struct pagemap {
	struct address_space space;
	int fd; /* -1: of a core file */
	bool scans;
	uint64_t user_end;
	uint64_t zero_frame;	/* the zero page's frame; 0: not known */
	struct extents hugetlb; /* not this process's own, though they look so */
	struct extents private; /* can have pages; listed when first needed */
	bool listed;
	size_t extent; /* index in private: the first that we have not passed */
	/* Scanned, but not handed out yet. */
	struct page_range ranges[RANGES];
	size_t nranges, next;
	uint64_t from, scanned; /* where the last scan began, and ended */
	uint64_t asked;		/* for the first range from there on */
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

/* Scans [start, end) for pages that are resident or swapped out; stops when the ranges are full.
 * Returns 0 or -errno. */
static int scan(struct pagemap *pagemap, uint64_t start, uint64_t end)
{
	struct scan arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.ranges = (uintptr_t)pagemap->ranges,
		.nranges = RANGES,
		.inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.all_of = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.any_of = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.returned = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_HUGE,
	};
	int n = ioctl(pagemap->fd, SCAN_PAGEMAP, &arg);

	pagemap->next = pagemap->nranges = 0;
	if (n < 0)
		return -errno;
	pagemap->nranges = n;
	pagemap->from = start;
	pagemap->scanned = arg.walk_end;
	return 0;
}

/* Also finds out whether the kernel can scan. */
static void find_user_end(struct pagemap *pagemap, bool may_scan)
{
	size_t i;

	for (i = 0; !pagemap->scans && i < sizeof(user_ends) / sizeof(user_ends[0]); i++) {
		pagemap->user_end = user_ends[i];
		pagemap->scans = may_scan && !scan(pagemap, user_ends[i] - PAGE, user_ends[i]);
	}
}

static int open_pagemap(struct pagemap *pagemap, bool may_scan)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pagemap->space.pid);
	pagemap->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap->fd < 0)
		return -errno;
	find_user_end(pagemap, may_scan);
	if (!pagemap->scans)
		pagemap->zero_frame = find_zero_frame();
	return 0;
}

int pagemap__new(struct address_space space, bool may_scan, struct pagemap **result)
{
	struct pagemap *pagemap = calloc(1, sizeof(*pagemap));
	int err = 0;

	if (!pagemap)
		return -ENOMEM;
	pagemap->space = space;
	pagemap->fd = -1;
	pagemap->user_end = UINT64_MAX;
	if (!space.core)
		err = open_pagemap(pagemap, may_scan);
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
	free(pagemap->hugetlb.extents);
	free(pagemap->private.extents);
	free(pagemap);
}

static int add_extent(struct extents *extents, uint64_t start, uint64_t end)
{
	struct extent *more;

	if (extents->n % 64 == 0) {
		more = reallocarray(extents->extents, extents->n + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		extents->extents = more;
	}
	extents->extents[extents->n++] = (struct extent){start, end};
	return 0;
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
			err = add_extent(&pagemap->hugetlb, map.start, map.end);
	}
	fclose(smaps);
	return err;
}

/* Mappings that can have pages of their own. Inaccessible ones are mostly reserved room, of any
 * size. */
static int add_private(void *context, const struct proc_map *map)
{
	struct pagemap *pagemap = context;

	return map->is_private && map->is_accessible && map->start < pagemap->user_end
		       ? add_extent(&pagemap->private, map->start, map->end)
		       : 0;
}

/* What a core file has: its mappings can claim to be of any size. */
static int list_dumped(struct pagemap *pagemap)
{
	uint64_t start = 0, end = UINT64_MAX;
	int err = 0;

	while (!err && core_file__next_data(pagemap->space.core, &start, &end)) {
		err = add_extent(&pagemap->private, start, end);
		start = end;
		end = UINT64_MAX;
	}
	return err;
}

static int find_private(struct pagemap *pagemap)
{
	int err = pagemap->space.core
			  ? list_dumped(pagemap)
			  : address_space__visit_maps(pagemap->space, add_private, pagemap);

	pagemap->listed = !err;
	return err;
}

int pagemap__refresh(struct pagemap *pagemap)
{
	int err = 0;

	pagemap->hugetlb.n = pagemap->private.n = 0;
	pagemap->nranges = pagemap->next = 0;
	pagemap->extent = 0;
	pagemap->listed = false;
	if (!pagemap->space.core && proc_status_bytes(pagemap->space.pid, "HugetlbPages"))
		err = find_hugetlb(pagemap);
	return err || pagemap->scans ? err : find_private(pagemap);
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

/* Reads the pages of [start, end), which lies in the region, one by one. Returns 0 or -errno. */
static int read_pages(struct pagemap *pagemap, uint64_t start, uint64_t end,
		      struct residency *residency)
{
	uint64_t entries[REGION_PAGES], first = start >> PAGE_SHIFT, at, i;
	ssize_t n = pread(pagemap->fd, entries, ((end - start) >> PAGE_SHIFT) * sizeof(entries[0]),
			  first * sizeof(entries[0]));

	if (n < 0)
		return -errno;
	for (i = 0; i < n / sizeof(entries[0]); i++) {
		at = (first + i) & (REGION_PAGES - 1);
		if (entries[i] & PM_FILE)
			continue;
		if (entries[i] & PM_SWAPPED)
			residency->away[at / 64] |= 1ULL << (at % 64);
		else if (entries[i] & PM_PRESENT &&
			 (!pagemap->zero_frame || (entries[i] & PM_FRAME) != pagemap->zero_frame))
			residency->resident[at / 64] |= 1ULL << (at % 64);
	}
	return 0;
}

/* Returns the first extent that ends beyond the address. Callers mostly ask in ascending order. */
static size_t first_extent(struct pagemap *pagemap, uint64_t address)
{
	const struct extents *private = &pagemap->private;

	if (pagemap->extent && private->extents[pagemap->extent - 1].end > address)
		pagemap->extent = 0;
	while (pagemap->extent < private->n && private->extents[pagemap->extent].end <= address)
		pagemap->extent++;
	return pagemap->extent;
}

static int read_region(struct pagemap *pagemap, struct residency *residency)
{
	uint64_t base = residency->index << REGION_SHIFT, start, end;
	size_t i = first_extent(pagemap, base);
	int err = 0;

	for (; !err && i < pagemap->private.n; i++) {
		start = pagemap->private.extents[i].start;
		end = pagemap->private.extents[i].end;
		if (start >= base + REGION_SIZE)
			break;
		start = start > base ? start : base;
		end = end < base + REGION_SIZE ? end : base + REGION_SIZE;
		if (pagemap->space.core)
			add_range(residency, &(struct page_range){start, end, PAGE_IS_PRESENT});
		else
			err = read_pages(pagemap, start, end, residency);
	}
	return err;
}

static int scan_region(struct pagemap *pagemap, struct residency *residency)
{
	uint64_t start = residency->index << REGION_SHIFT, end = start + REGION_SIZE;
	size_t i;
	int err;

	while (start < end) {
		err = scan(pagemap, start, end);
		if (err)
			return err;
		for (i = 0; i < pagemap->nranges; i++)
			add_range(residency, &pagemap->ranges[i]);
		start = pagemap->scanned;
	}
	pagemap->nranges = 0;
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
		}
		residency->huge = false;
	}
}

int pagemap__region(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	int err;

	begin_region(residency, index);
	err = pagemap->scans ? scan_region(pagemap, residency) : read_region(pagemap, residency);
	clear_hugetlb(pagemap, residency);
	return err;
}

static bool is_empty(const struct residency *residency)
{
	size_t i;

	for (i = 0; i < REGION_WORDS; i++) {
		if (residency->resident[i] || residency->away[i])
			return false;
	}
	return true;
}

/* Returns the first range that ends beyond the address, scanning on as needed, or NULL: at the end
 * with *err 0. */
static const struct page_range *next_range(struct pagemap *pagemap, uint64_t address, int *err)
{
	const struct page_range *range;

	*err = 0;
	/* Callers mostly ask in ascending order. */
	if (address < pagemap->asked)
		pagemap->next = 0;
	if (address < pagemap->from)
		pagemap->nranges = 0;
	pagemap->asked = address;
	for (;;) {
		for (; pagemap->next < pagemap->nranges; pagemap->next++) {
			range = &pagemap->ranges[pagemap->next];
			if (range->end > address)
				return range;
		}
		if (pagemap->nranges && address < pagemap->scanned)
			address = pagemap->scanned;
		if (address >= pagemap->user_end)
			return NULL;
		*err = scan(pagemap, address, pagemap->user_end);
		if (*err)
			return NULL;
		if (!pagemap->nranges)
			return NULL;
	}
}

static int scan_next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	const struct page_range *range;
	uint64_t at = index << REGION_SHIFT, end;
	int err;

	range = next_range(pagemap, at, &err);
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
		range = next_range(pagemap, range->end, &err);
	}
	return err ? err : 1;
}

static int read_next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	const struct extent *extent;
	size_t i;
	int err;

	while ((i = first_extent(pagemap, index << REGION_SHIFT)) < pagemap->private.n) {
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

int pagemap__next(struct pagemap *pagemap, uint64_t index, struct residency *residency)
{
	int found;

	for (;; index = residency->index + 1) {
		found = pagemap->scans ? scan_next(pagemap, index, residency)
				       : read_next(pagemap, index, residency);
		if (found <= 0)
			return found;
		clear_hugetlb(pagemap, residency);
		if (!is_empty(residency))
			return 1;
	}
}

int pagemap__mapping(struct pagemap *pagemap, uint64_t address, uint64_t *start, uint64_t *end)
{
	const struct extent *extent;
	size_t i;
	int err = pagemap->listed ? 0 : find_private(pagemap);

	if (err)
		return err;
	i = first_extent(pagemap, address);
	extent = &pagemap->private.extents[i];
	if (i == pagemap->private.n || extent->start > address)
		return -ENOENT;
	*start = extent->start;
	*end = extent->end;
	return 0;
}
