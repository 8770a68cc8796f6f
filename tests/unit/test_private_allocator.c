// SPDX-License-Identifier: BSD-2-Clause
/* Allocators inside a file: this program has one, or half of one. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/private_allocator.h"

/* Of jemalloc's, what a linker left. */
static __attribute__((used, noinline)) void *test_je_mallocx(size_t size, int flags)
{
	return malloc(size + flags);
}

static __attribute__((used, noinline)) void test_je_sdallocx(void *block, size_t size, int flags)
{
	(void)size;
	(void)flags;
	free(block);
}

/* It makes blocks, but nothing frees them; and what only sounds like one. */
static __attribute__((used, noinline)) void *half_je_malloc(size_t size)
{
	return malloc(size);
}

static __attribute__((used, noinline)) void ssl_free(void *block)
{
	free(block);
}

static int own_copy(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = memfd_create("copy", MFD_CLOEXEC);
	char buffer[65536];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(to, buffer, n), n);
	close(from);
	return to;
}

static void finds(void **state)
{
	struct elf_file *elf = elf_file__new(own_copy());
	struct private_function *functions;
	uint64_t distance = (uintptr_t)test_je_sdallocx - (uintptr_t)test_je_mallocx;
	size_t n, made;

	(void)state;
	assert_non_null(elf);
	assert_int_equal(private_allocator__find(elf, &functions, &n), 0);
	assert_int_equal(n, 2);
	made = functions[1].kind == PROBE_MALLOC;
	assert_string_equal(functions[made].name, "mallocx");
	assert_string_equal(functions[!made].name, "sdallocx");
	assert_int_equal(functions[!made].kind, PROBE_FREE);
	assert_true(functions[!made].address - functions[made].address == distance);
	free(functions);
	elf_file__free(elf);
	free(half_je_malloc(1));
	ssl_free(NULL);
}

/* Damaged tables end in nothing worse than nothing. */
static void damaged(void **state)
{
	struct private_function *functions;
	int fd = own_copy(), copy, i, k;
	off_t size = lseek(fd, 0, SEEK_END);
	struct elf_file *elf;
	uint8_t byte;
	size_t n;

	(void)state;
	srand(1);
	for (i = 0; i < 200; i++) {
		copy = own_copy();
		/* The section headers are at the end, the tables of symbols before them. */
		for (k = 0; k < 64; k++) {
			byte = rand();
			assert_int_equal(pwrite(copy, &byte, 1, size - 1 - rand() % 8192), 1);
		}
		if (i % 4 == 0)
			assert_int_equal(ftruncate(copy, size - rand() % 16384), 0);
		elf = elf_file__new(copy);
		if (!elf)
			continue;
		if (!private_allocator__find(elf, &functions, &n))
			free(functions);
		elf_file__free(elf);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
