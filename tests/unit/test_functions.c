// SPDX-License-Identifier: BSD-2-Clause
/* Functions and their lines, as Python's inspect module finds them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/def_ranges.h"

static struct def_ranges *read_functions(struct reader *reader, const char *path,
					 struct source_text **text)
{
	struct def_ranges *functions;

	source_text__free(*text);
	*text = source_text__new(reader, "/", path);
	if (!*text)
		return NULL;
	functions = def_ranges__new(*text);
	assert_non_null(functions);
	return functions;
}

/* The standard library's functions, as written down by tests/tools/functions.py. */
static void library(void **state)
{
	const char *list = getenv("FUNCTIONS");
	FILE *file = list ? fopen(list, "r") : NULL;
	struct readers *readers = readers__new();
	struct def_ranges *functions = NULL;
	struct source_text *text = NULL;
	struct reader *reader;
	char word[4096], path[4096] = "";
	size_t at = 0, n = 0, wrong = 0;
	int first, last;

	(void)state;
	if (!file)
		skip();
	assert_non_null(readers);
	assert_int_equal(readers__find(readers, getpid(), &reader), 0);
	while (fscanf(file, "%4095s", word) == 1) {
		if (!strcmp(word, "file")) {
			if (functions && at != functions->n) {
				fprintf(stderr, "%s: %zu functions, not %zu\n", path, functions->n,
					at);
				wrong++;
			}
			def_ranges__free(functions);
			assert_int_equal(fscanf(file, "%4095s", path), 1);
			functions = read_functions(reader, path, &text);
			at = 0;
			continue;
		}
		assert_int_equal(fscanf(file, "%d %d", &first, &last), 2);
		if (!functions)
			continue;
		n++;
		assert_true(source_text__fits(text, word, last));
		assert_true(!source_text__fits(text, "no_such_function", last));
		if (at < functions->n && !strcmp(functions->functions[at].name, word) &&
		    functions->functions[at].first == first &&
		    functions->functions[at].last == last) {
			at++;
			continue;
		}
		if (at < functions->n)
			fprintf(stderr, "%s: %s %d-%d, not %s %d-%d\n", path,
				functions->functions[at].name, functions->functions[at].first,
				functions->functions[at].last, word, first, last);
		wrong++;
		at++;
	}
	def_ranges__free(functions);
	source_text__free(text);
	readers__free(readers);
	fclose(file);
	print_message("%zu functions\n", n);
	assert_true(n > 10000);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
