/* SPDX-License-Identifier: BSD-2-Clause */
/* Lets the kernel find a process's own pages (PAGEMAP_SCAN of /proc/PID/pagemap, Linux 6.7). */
#ifndef PAGE_SCAN_H
#define PAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ranges to get from the kernel at a time: 24 KiB. */
#define PAGE_SCAN_RANGES 1024

/* Categories, from uapi/linux/fs.h of Linux 6.7: newer than the oldest headers that we build with.
 */
#define PAGE_IS_FILE	(1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PAGE_IS_HUGE	(1 << 6)

struct page_range {
	uint64_t start, end, categories;
};

struct page_scan {
	int fd;
	bool works;	   /* the kernel can */
	uint64_t user_end; /* where the address space ends: a scan beyond it is refused */
	/* Scanned, but not handed out yet. */
	struct page_range ranges[PAGE_SCAN_RANGES];
	size_t nranges, next;
	uint64_t start, end; /* of the last scan */
	uint64_t asked;	     /* for the first range from there on */
};

/* fd: the pagemap, which the caller keeps open. Finds out whether the kernel can scan. */
void page_scan__begin(struct page_scan *scan, int fd, bool may_scan);

/* Scans [start, end) for pages that are resident or swapped out, and neither of a file nor the zero
 * page; stops at scan->end when the ranges are full. Returns 0 or -errno. */
int page_scan__do(struct page_scan *scan, uint64_t start, uint64_t end);

/* Returns the first range that ends beyond the address, scanning on as needed, or NULL: at the end
 * with *err 0. */
const struct page_range *page_scan__first_beyond(struct page_scan *scan, uint64_t address,
						 int *err);

/* What was scanned is out of date. */
void page_scan__forget(struct page_scan *scan);

#endif /* PAGE_SCAN_H */
