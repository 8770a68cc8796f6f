// SPDX-License-Identifier: BSD-2-Clause
/* The pagemap, compared with memory that the test itself made. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inspect/pagemap.h"

#define REGION_SIZE (1UL << REGION_SHIFT)
#define PAGE	    (1UL << PAGE_SHIFT)

/* Reserves address space for some regions, from the beginning of one on. */
static char *reserve(size_t regions, int protection, int flags, int fd)
{
	char *room = mmap(NULL, (regions + 1) * REGION_SIZE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *start;

	assert_true(room != MAP_FAILED);
	start = (char *)(((uintptr_t)room + REGION_SIZE - 1) & ~(REGION_SIZE - 1));
	assert_ptr_equal(mmap(start, regions * REGION_SIZE, protection, flags | MAP_FIXED, fd, 0),
			 start);
	madvise(start, regions * REGION_SIZE, MADV_NOHUGEPAGE);
	return start;
}

static uint64_t index_of(const char *address)
{
	return (uintptr_t)address >> REGION_SHIFT;
}

static bool is_resident(const struct residency *residency, size_t page)
{
	return residency->resident[page / 64] >> (page % 64) & 1;
}

static size_t count(const struct residency *residency)
{
	size_t page, n = 0;

	for (page = 0; page < REGION_PAGES; page++)
		n += is_resident(residency, page);
	return n;
}

static size_t count_shared(const struct residency *residency)
{
	size_t word, n = 0;

	for (word = 0; word < REGION_WORDS; word++)
		n += __builtin_popcountll(residency->shared[word]);
	return n;
}

static struct pagemap *open_own(unsigned int options)
{
	struct pagemap *pagemap;

	assert_int_equal(pagemap__new(address_space__of_process(getpid()), options, &pagemap), 0);
	return pagemap;
}

static void check_written_pages(unsigned int options)
{
	char *start = reserve(3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct pagemap *pagemap = open_own(options);
	struct residency residency;

	start[0] = 1;
	start[PAGE * 77] = 1;
	start[REGION_SIZE * 2 - 1] = 1;
	assert_int_equal(pagemap__refresh(pagemap), 0);
	assert_int_equal(pagemap__region(pagemap, index_of(start), &residency), 0);
	assert_int_equal(count(&residency), 2);
	assert_true(is_resident(&residency, 0) && is_resident(&residency, 77));
	assert_int_equal(pagemap__region(pagemap, index_of(start) + 1, &residency), 0);
	assert_int_equal(count(&residency), 1);
	assert_true(is_resident(&residency, REGION_PAGES - 1));
	assert_int_equal(pagemap__region(pagemap, index_of(start) + 2, &residency), 0);
	assert_int_equal(count(&residency), 0);
	assert_int_equal(madvise(start, PAGE, MADV_DONTNEED), 0);
	assert_int_equal(pagemap__region(pagemap, index_of(start), &residency), 0);
	assert_int_equal(count(&residency), 1);
	pagemap__free(pagemap);
	munmap(start, 3 * REGION_SIZE);
}

static void test_written_pages(void **state)
{
	(void)state;
	check_written_pages(PAGEMAP_MAY_SCAN);
	check_written_pages(0);
}

/* The zero page, file pages and shared memory are not the process's own; a file page that was
 * written to is. Shared pages are told if asked for, also of a file in memory that is only read. */
static void check_others(unsigned int options)
{
	int fd = memfd_create("pages", 0);
	char *start = reserve(1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct pagemap *pagemap = open_own(options);
	struct residency residency;
	char *file, *shared;

	assert_int_equal(ftruncate(fd, REGION_SIZE), 0);
	file = reserve(1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	shared = reserve(1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	assert_int_equal(((volatile char *)start)[0] + ((volatile char *)file)[0], 0);
	file[PAGE * 3] = 1;
	memset(shared, 1, REGION_SIZE);
	assert_int_equal(pagemap__refresh(pagemap), 0);
	assert_int_equal(pagemap__region(pagemap, index_of(start), &residency), 0);
	assert_int_equal(count(&residency), 0);
	assert_int_equal(pagemap__region(pagemap, index_of(file), &residency), 0);
	assert_int_equal(count(&residency), 1);
	assert_true(is_resident(&residency, 3));
	assert_int_equal(count_shared(&residency), options & PAGEMAP_SHARED ? 1 : 0);
	assert_int_equal(pagemap__region(pagemap, index_of(shared), &residency), 0);
	assert_int_equal(count(&residency), 0);
	assert_int_equal(count_shared(&residency), options & PAGEMAP_SHARED ? REGION_PAGES : 0);
	pagemap__free(pagemap);
	munmap(start, REGION_SIZE);
	munmap(file, REGION_SIZE);
	munmap(shared, REGION_SIZE);
	close(fd);
}

static void test_others(void **state)
{
	(void)state;
	check_others(PAGEMAP_MAY_SCAN);
	check_others(0);
	check_others(PAGEMAP_MAY_SCAN | PAGEMAP_SHARED);
	check_others(PAGEMAP_SHARED);
}

/* A pass over all memory finds each region once, in order, with the same pages as a look at that
 * region alone. */
static void check_all(unsigned int options)
{
	/* Every second page of ten regions: more ranges than one scan returns. */
	char *start = reserve(10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct pagemap *pagemap = open_own(options), *other = open_own(options);
	struct residency residency, again;
	size_t page, found = 0;
	uint64_t index = 0, last = 0;
	int more;

	for (page = 0; page < 10 * REGION_PAGES; page += 2)
		start[page * PAGE] = 1;
	assert_int_equal(pagemap__refresh(pagemap), 0);
	assert_int_equal(pagemap__refresh(other), 0);
	while ((more = pagemap__next(pagemap, index, &residency)) == 1) {
		assert_true(residency.index > last);
		last = residency.index;
		index = last + 1;
		if (last < index_of(start) || last >= index_of(start) + 10)
			continue;
		assert_int_equal(count(&residency), REGION_PAGES / 2);
		assert_int_equal(pagemap__region(other, last, &again), 0);
		assert_memory_equal(&residency, &again, sizeof(again));
		found++;
	}
	assert_int_equal(more, 0);
	assert_int_equal(found, 10);
	pagemap__free(pagemap);
	pagemap__free(other);
	munmap(start, 10 * REGION_SIZE);
}

static void test_all(void **state)
{
	(void)state;
	check_all(PAGEMAP_MAY_SCAN);
	check_all(0);
	check_all(PAGEMAP_MAY_SCAN | PAGEMAP_SHARED);
	check_all(PAGEMAP_SHARED);
}

static void test_no_process(void **state)
{
	struct pagemap *pagemap;

	(void)state;
	assert_true(pagemap__new(address_space__of_process(0x7ffffffe), PAGEMAP_MAY_SCAN,
				 &pagemap) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_pages),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
