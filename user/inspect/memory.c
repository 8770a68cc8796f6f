// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "base/procfs.h"
#include "inspect/memory.h"

#define PAGE	4096
#define NO_PAGE UINT64_MAX

/* 16 MiB. */
#define PAGES 4096

struct page {
	uint64_t address;
	bool is_there;
	uint8_t bytes[PAGE];
};

struct memory {
	pid_t pid;
	struct memory_range *ranges;
	size_t nranges;
	struct page pages[PAGES]; /* by their address */
};

static int add_range(struct memory *memory, const struct memory_range *range)
{
	struct memory_range *more;

	if (memory->nranges % 64 == 0) {
		more = reallocarray(memory->ranges, memory->nranges + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memory->ranges = more;
	}
	memory->ranges[memory->nranges++] = *range;
	return 0;
}

/* Static data is what is mapped of a file, and the anonymous mapping right behind it: its bss. */
static int read_ranges(struct memory *memory)
{
	auto_fclose FILE *maps = proc_maps__open(memory->pid);
	struct memory_range range = {0};
	struct proc_map map;
	uint64_t end_of_file = 0;
	int err = 0;

	if (!maps)
		return -errno;
	while (!err && proc_maps__next(maps, &map)) {
		if (map.inode)
			end_of_file = map.end;
		if (!map.is_writable || !map.is_private ||
		    (map.path[0] == '[' && strcmp(map.path, "[heap]") != 0))
			continue;
		range = (struct memory_range){map.start, map.end,
					      map.inode || map.start == end_of_file};
		err = add_range(memory, &range);
	}
	return err;
}

int memory__new(pid_t pid, struct memory **result)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	size_t i;
	int err;

	if (!memory)
		return -ENOMEM;
	memory->pid = pid;
	for (i = 0; i < PAGES; i++)
		memory->pages[i].address = NO_PAGE;
	err = read_ranges(memory);
	if (err) {
		memory__free(memory);
		return err;
	}
	*result = memory;
	return 0;
}

void memory__free(struct memory *memory)
{
	if (!memory)
		return;
	free(memory->ranges);
	free(memory);
}

static const struct page *page_at(struct memory *memory, uint64_t address)
{
	struct page *page = &memory->pages[address / PAGE % PAGES];
	struct iovec local = {page->bytes, PAGE}, remote = {(void *)(uintptr_t)address, PAGE};

	if (page->address != address) {
		page->address = address;
		page->is_there = process_vm_readv(memory->pid, &local, 1, &remote, 1, 0) == PAGE;
	}
	return page;
}

bool memory__read(struct memory *memory, uint64_t address, void *to, size_t size)
{
	uint8_t *at = to;
	const struct page *page;
	size_t offset, n;

	while (size) {
		page = page_at(memory, address & ~(uint64_t)(PAGE - 1));
		offset = address % PAGE;
		n = size < PAGE - offset ? size : PAGE - offset;
		if (!page->is_there)
			return false;
		memcpy(at, page->bytes + offset, n);
		at += n;
		address += n;
		size -= n;
	}
	return true;
}

const struct memory_range *memory__ranges(const struct memory *memory, size_t *n)
{
	*n = memory->nranges;
	return memory->ranges;
}

const struct memory_range *memory__range_of(const struct memory *memory, uint64_t address)
{
	size_t low = 0, high = memory->nranges, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (address >= memory->ranges[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < memory->nranges && address >= memory->ranges[low].start ? &memory->ranges[low]
									     : NULL;
}
