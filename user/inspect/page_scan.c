// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/types.h>

#include "inspect/page_scan.h"
#include "pymemtop.h"

struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, ranges, nranges, max_pages;
	uint64_t inverted, all_of, any_of, returned;
};

#define SCAN_PAGEMAP _IOWR('f', 16, struct scan_arguments)

#define PAGE (1ULL << PAGE_SHIFT)

/* By architecture and levels of page tables. */
static const uint64_t user_ends[] = {
	(1ULL << 56) - PAGE,
	1ULL << 52,
	1ULL << 48,
	(1ULL << 47) - PAGE,
};

void page_scan__begin(struct page_scan *scan, int fd, bool may_scan)
{
	size_t i;

	scan->fd = fd;
	for (i = 0; !scan->works && i < sizeof(user_ends) / sizeof(user_ends[0]); i++) {
		scan->user_end = user_ends[i];
		scan->works = may_scan && !page_scan__do(scan, user_ends[i] - PAGE, user_ends[i]);
	}
}

int page_scan__do(struct page_scan *scan, uint64_t start, uint64_t end)
{
	struct scan_arguments arguments = {
		.size = sizeof(arguments),
		.start = start,
		.end = end,
		.ranges = (uintptr_t)scan->ranges,
		.nranges = PAGE_SCAN_RANGES,
		.inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.all_of = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.any_of = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.returned = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_HUGE,
	};
	int n = ioctl(scan->fd, SCAN_PAGEMAP, &arguments);

	page_scan__forget(scan);
	if (n < 0)
		return -errno;
	scan->nranges = n;
	scan->start = start;
	scan->end = arguments.walk_end;
	return 0;
}

const struct page_range *page_scan__first_beyond(struct page_scan *scan, uint64_t address, int *err)
{
	const struct page_range *range;

	*err = 0;
	/* Callers mostly ask in ascending order. */
	if (address < scan->asked)
		scan->next = 0;
	if (address < scan->start)
		scan->nranges = 0;
	scan->asked = address;
	for (;;) {
		for (; scan->next < scan->nranges; scan->next++) {
			range = &scan->ranges[scan->next];
			if (range->end > address)
				return range;
		}
		if (scan->nranges && address < scan->end)
			address = scan->end;
		if (address >= scan->user_end)
			return NULL;
		*err = page_scan__do(scan, address, scan->user_end);
		if (*err || !scan->nranges)
			return NULL;
	}
}

void page_scan__forget(struct page_scan *scan)
{
	scan->nranges = scan->next = 0;
}
