// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "inspect/memory.h"
#include "inspect/pagemap.h"

#define PAGE	4096
#define NO_PAGE UINT64_MAX

/* 16 MiB. */
#define PAGES 4096

/* Pages that are read at once where one follows the other. */
#define PAGES_AHEAD 16

/* Regions of 2 MiB whose residency is remembered. */
#define REGIONS 1024

/* Segments of a file that are looked at. */
#define MOST_SEGMENTS 32

struct page {
	uint64_t address;
	bool is_there;
	uint8_t bytes[PAGE];
};

struct memory {
	struct address_space space;
	struct memory_range *ranges;
	size_t nranges;
	struct page pages[PAGES]; /* by their address */
	struct pagemap *pagemap;
	struct residency regions[REGIONS]; /* by their index */
};

/* Two that lie side by side, without static data in the second, are one: the kernel keeps them
 * apart by advice, as numpy gives for huge pages, and one block may lie in both. */
static int add_range(struct memory *memory, const struct memory_range *range)
{
	struct memory_range *more,
		*last = memory->nranges ? &memory->ranges[memory->nranges - 1] : NULL;

	if (last && last->end == range->start && last->static_end < last->end &&
	    range->static_end == range->start) {
		last->end = range->end;
		return 0;
	}
	if (!memory->ranges || memory->nranges % 64 == 0) {
		more = reallocarray(memory->ranges, memory->nranges + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memory->ranges = more;
	}
	memory->ranges[memory->nranges++] = *range;
	return 0;
}

/* Where the file that is mapped from there ends in memory, its bss included; 0: it is no ELF file.
 */
static uint64_t end_of_elf(struct memory *memory, uint64_t start)
{
	uint64_t least = UINT64_MAX, most = 0;
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	int i;

	if (!memory__read(memory, start, &head, sizeof(head)) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(segment))
		return 0;
	for (i = 0; i < head.e_phnum && i < MOST_SEGMENTS; i++) {
		if (!memory__read(memory, start + head.e_phoff + i * sizeof(segment), &segment,
				  sizeof(segment)) ||
		    segment.p_type != PT_LOAD)
			continue;
		if (segment.p_vaddr < least)
			least = segment.p_vaddr;
		if (segment.p_vaddr + segment.p_memsz > most)
			most = segment.p_vaddr + segment.p_memsz;
	}
	return most > least ? start + (most - (least & ~(uint64_t)(PAGE - 1))) : 0;
}

static void name_file(const char *path, char file[FILE_NAME_SIZE])
{
	const char *slash = strrchr(path, '/');

	snprintf(file, FILE_NAME_SIZE, "%.*s", FILE_NAME_SIZE - 1, slash ? slash + 1 : path);
	utf8_keep_ascii(file);
}

struct range_reader {
	struct memory *memory;
	uint64_t end_of_file, end; /* of the file that was mapped last, and of it with its bss */
	char file[FILE_NAME_SIZE];
};

static int read_range(void *context, const struct proc_map *map)
{
	struct range_reader *reader = context;
	struct memory_range range = {
		.start = map->start,
		.end = map->end,
		.static_end = map->start,
	};

	if (map->inode) {
		reader->end_of_file = map->end;
		reader->end = map->offset ? reader->end : end_of_elf(reader->memory, map->start);
		name_file(map->path, reader->file);
	}
	if (!map->is_writable || !map->is_private ||
	    (map->path[0] == '[' && strcmp(map->path, "[heap]") != 0 &&
	     strncmp(map->path, "[anon:", 6) != 0))
		return 0;
	memcpy(range.file, reader->file, sizeof(range.file));
	if (map->inode)
		range.static_end = map->end;
	else if (map->start == reader->end_of_file && reader->end > map->start)
		range.static_end = reader->end < map->end ? reader->end : map->end;
	return add_range(reader->memory, &range);
}

int memory__refresh(struct memory *memory)
{
	struct range_reader reader = {.memory = memory};
	size_t i;
	int err;

	for (i = 0; i < PAGES; i++)
		memory->pages[i].address = NO_PAGE;
	for (i = 0; i < REGIONS; i++)
		memory->regions[i].index = NO_PAGE;
	free(memory->ranges);
	memory->ranges = NULL;
	memory->nranges = 0;
	err = address_space__visit_maps(memory->space, read_range, &reader);
	return err ? err : pagemap__refresh(memory->pagemap);
}

int memory__new(struct address_space space, struct memory **result)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	int err;

	if (!memory)
		return -ENOMEM;
	memory->space = space;
	err = pagemap__new(space, PAGEMAP_MAY_SCAN, &memory->pagemap);
	if (!err)
		err = memory__refresh(memory);
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
	pagemap__free(memory->pagemap);
	free(memory->ranges);
	free(memory);
}

bool memory__is_resident(struct memory *memory, uint64_t address)
{
	uint64_t index = address >> REGION_SHIFT;
	struct residency *region = &memory->regions[index % REGIONS];
	size_t page = address / PAGE % REGION_PAGES;

	if (region->index != index) {
		if (pagemap__region(memory->pagemap, index, region))
			memset(region, 0, sizeof(*region));
		region->index = index;
	}
	return region->resident[page / 64] >> (page % 64) & 1;
}

bool memory__next_resident(struct memory *memory, uint64_t *address, uint64_t end)
{
	struct residency next;

	while (*address < end) {
		if (memory__is_resident(memory, *address))
			return true;
		*address = (*address & ~(uint64_t)(PAGE - 1)) + PAGE;
		if (*address & ((1ULL << REGION_SHIFT) - 1))
			continue;
		/* A mapping can be huge, and empty. */
		if (pagemap__next(memory->pagemap, *address >> REGION_SHIFT, &next) != 1)
			return false;
		memory->regions[next.index % REGIONS] = next;
		*address = next.index << REGION_SHIFT;
	}
	return false;
}

uint64_t memory__resident_bytes(struct memory *memory, uint64_t from, uint64_t to)
{
	uint64_t bytes = 0, end;

	while (from < to && memory__next_resident(memory, &from, to)) {
		end = (from & ~(uint64_t)(PAGE - 1)) + PAGE;
		end = end < to ? end : to;
		bytes += end - from;
		from = end;
	}
	return bytes;
}

static struct page *slot_of(struct memory *memory, uint64_t address)
{
	return &memory->pages[address / PAGE % PAGES];
}

/* How many pages to read from there on: more than one if the one before was read, too, and then
 * those that are resident. */
static size_t pages_ahead(struct memory *memory, uint64_t address)
{
	size_t n = 1;

	if (slot_of(memory, address - PAGE)->address != address - PAGE || !memory->pagemap)
		return 1;
	while (n < PAGES_AHEAD && memory__is_resident(memory, address + n * PAGE))
		n++;
	return n;
}

static const struct page *page_at(struct memory *memory, uint64_t address)
{
	struct page *page = slot_of(memory, address);
	struct iovec local[PAGES_AHEAD], remote = {(void *)(uintptr_t)address, PAGE};
	ssize_t got;
	size_t n, i;

	if (page->address == address)
		return page;
	n = pages_ahead(memory, address);
	remote.iov_len = n * PAGE;
	for (i = 0; i < n; i++)
		local[i] = (struct iovec){slot_of(memory, address + i * PAGE)->bytes, PAGE};
	got = address_space__readv(memory->space, local, n, &remote, 1);
	for (i = 0; i < n; i++) {
		page = slot_of(memory, address + i * PAGE);
		page->is_there = got >= (ssize_t)((i + 1) * PAGE);
		/* The others were only a guess. */
		page->address = page->is_there || !i ? address + i * PAGE : NO_PAGE;
	}
	return slot_of(memory, address);
}

void memory__reread(struct memory *memory, uint64_t from, uint64_t to)
{
	struct residency *region;
	struct page *page;
	uint64_t at;

	for (at = from & ~(uint64_t)(PAGE - 1); at < to; at += PAGE) {
		page = slot_of(memory, at);
		if (page->address == at)
			page->address = NO_PAGE;
		region = &memory->regions[(at >> REGION_SHIFT) % REGIONS];
		if (region->index == at >> REGION_SHIFT)
			region->index = NO_PAGE;
	}
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

uint64_t memory__word(struct memory *memory, uint64_t address)
{
	uint64_t word;

	return memory__read(memory, address, &word, sizeof(word)) ? word : 0;
}

size_t memory__read_beginning(struct memory *memory, uint64_t address, void *to, size_t size,
			      size_t least)
{
	while (size >= least && !memory__read(memory, address, to, size))
		size /= 2;
	return size;
}

bool memory__read_text(struct memory *memory, uint64_t address, char *to, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1; i++) {
		if (!memory__read(memory, address + i, to + i, 1))
			return false;
		if (!to[i])
			break;
	}
	to[i] = '\0';
	utf8_keep_ascii(to);
	return i > 0;
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
