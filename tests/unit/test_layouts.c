// SPDX-License-Identifier: BSD-2-Clause
/* What interpreters say about their layout, compared with what their headers say. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "target/elffile.h"
#include "target/layouts.h"

/* Reads the description in _PyRuntime, which is initialised in the file. */
static void read_description(const char *path, uint64_t slots[DESCRIPTION_SLOTS])
{
	static const char *const name = "_PyRuntime";
	struct elf_file *elf = elf_file__new(open(path, O_RDONLY | O_CLOEXEC));
	struct elf_symbol symbol;

	assert_non_null(elf);
	elf_file__dynamic_symbols(elf, &name, 1, &symbol);
	assert_true(symbol.address);
	assert_int_equal(elf_file__read(elf, symbol.address, slots,
					DESCRIPTION_SLOTS * sizeof(slots[0])),
			 DESCRIPTION_SLOTS * sizeof(slots[0]));
	elf_file__free(elf);
}

/* DESCRIBED_PYTHONS has the paths of static interpreters, of 3.13 and later. */
static void described(void **state)
{
	char *paths = getenv("DESCRIBED_PYTHONS") ? strdup(getenv("DESCRIBED_PYTHONS")) : NULL;
	struct py_layout layout, table;
	uint64_t slots[DESCRIPTION_SLOTS];
	unsigned int minor, i;
	uint64_t saved;
	char *path;

	(void)state;
	path = paths ? strtok(paths, " ") : NULL;
	if (!path) {
		skip();
		return;
	}
	for (; path; path = strtok(NULL, " ")) {
		read_description(path, slots);
		minor = slots[1] >> 16 & 0xff;
		assert_true(layout__of_description(3, minor, slots, &layout));
		assert_true(layout__of_version(3, minor, &table));
		/* The sizes to read are rounded up. */
		assert_true(layout.tstate_size >= table.tstate_size && layout.tstate_size < 256);
		assert_true(layout.frame_size >= table.frame_size && layout.frame_size < 256);
		layout.tstate_size = table.tstate_size;
		layout.frame_size = table.frame_size;
		assert_memory_equal(&layout, &table, sizeof(layout));
		print_message("# %s: 3.%u\n", path, minor);
		/* A version other than the one it states; then one that we do not know. */
		assert_false(layout__of_description(3, minor + 1, slots, &layout));
		if (layout__of_version(3, minor + 1, &table))
			continue;
		slots[1] += 1 << 16;
		assert_true(layout__of_description(3, minor + 1, slots, &table));
		assert_int_equal(table.frame_code, layout.frame_code);
		assert_int_equal(table.code_filename, layout.code_filename);
		/* A description with one more field; then values that would wrap around. */
		memmove(slots + 30, slots + 29, (DESCRIPTION_SLOTS - 30) * sizeof(slots[0]));
		assert_false(layout__of_description(3, minor + 1, slots, &table));
		read_description(path, slots);
		for (i = 3; i < DESCRIPTION_SLOTS; i++) {
			saved = slots[i];
			slots[i] = 65530;
			if (layout__of_description(3, minor, slots, &table))
				assert_true(table.tstate_size >= 160 && table.frame_size >= 70);
			slots[i] = saved;
		}
	}
	free(paths);
}

static void old_versions_do_not_describe_themselves(void **state)
{
	uint64_t slots[DESCRIPTION_SLOTS] = {0, 0x030c00f0};
	struct py_layout layout;

	(void)state;
	memcpy(slots, "xdebugpy", 8);
	assert_true(layout__of_version(3, 8, &layout));
	assert_true(layout__of_version(3, 12, &layout));
	assert_false(layout__of_version(3, 7, &layout));
	assert_false(layout__of_description(3, 12, slots, &layout));
}

/* The target controls its description: whatever is in it, reads must stay small. */
static void hostile_descriptions(void **state)
{
	uint64_t slots[DESCRIPTION_SLOTS];
	struct py_layout layout;
	int i, k, taken = 0;

	(void)state;
	srand(1);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < DESCRIPTION_SLOTS; k++)
			slots[k] = i % 2 ? rand() % 300u : (uint64_t)rand() << (i % 40) >> 20;
		slots[2] = 0;
		slots[1] = 0x030e00f0;
		assert_false(layout__of_description(3, 14, slots, &layout));
		memcpy(slots, "xdebugpy", 8);
		if (!layout__of_description(3, 14, slots, &layout))
			continue;
		assert_true(layout.tstate_size < 256 && layout.frame_size < 256);
		taken++;
	}
	assert_true(taken > 0);
	slots[2] = 1;
	assert_false(layout__of_description(3, 14, slots, &layout));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(described),
		cmocka_unit_test(old_versions_do_not_describe_themselves),
		cmocka_unit_test(hostile_descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
