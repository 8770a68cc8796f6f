// SPDX-License-Identifier: BSD-2-Clause
/* A profile by itself: built, grouped, saved and loaded. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "modes/modes.h"
#include "profile/callers.h"
#include "profile/group.h"
#include "profile/load.h"
#include "profile/profile.h"
#include "render/renderers.h"

/* Adds a line, and a stack in which that line calls a library's line. */
static void add(struct profile *profile, struct profile_process *process, const char *file,
		int line, int64_t bytes)
{
	static const struct location library = {"/usr/lib/python3/x.py", "inner", 7};
	const struct location **frames = profile__alloc(profile, 2, sizeof(*frames));
	struct location location = {file, "f", line};
	struct values values = {{bytes, 1, 0, 0, 2 * bytes, 2}}, change = {{bytes / 2, 0}};

	frames[0] = profile__location(profile, &library);
	frames[1] = profile__location(profile, &location);
	process->lines[process->nlines++] =
		(struct profile_line){.location = frames[1], .values = values, .change = change};
	process->stacks[process->nstacks++] = (struct profile_stack){.nframes = 2,
								     .frames = frames,
								     .values = values,
								     .change = change};
}

static struct profile *make(const char *mode)
{
	struct profile *profile = profile__new();
	struct profile_process *process;
	int i;

	assert_non_null(profile);
	profile->host = profile__string(profile, "host");
	profile->mode = profile__string(profile, mode);
	profile->schema = *mode__find(mode)->schema;
	profile->counts_resident = mode__find(mode)->counts_resident;
	profile->time = 1700000000;
	profile->duration_seconds = 2.5;
	profile->interval_seconds = 1;
	profile->map_bytes = 12345;
	profile->nprocesses = 2;
	profile->processes = profile__alloc(profile, 2, sizeof(*profile->processes));
	for (i = 0; i < 2; i++) {
		process = &profile->processes[i];
		process->pid = 10 + i;
		process->parent = i ? 10 : 0;
		process->comm = profile__string(profile, "python3");
		process->cmdline = profile__string(profile, "python3 app.py \xff\n");
		process->python = profile__string(profile, "3.11.2");
		process->attribution = profile__string(profile, "frames");
		process->state = i ? PROCESS_EXITED : PROCESS_RUNNING;
		process->rss_bytes = 1 << 20;
		process->lost[LOST_RING] = 3;
		process->lines = profile__alloc(profile, 3, sizeof(*process->lines));
		process->stacks = profile__alloc(profile, 3, sizeof(*process->stacks));
		add(profile, process, "/srv/a.py", 1, 100);
		add(profile, process, "/srv/a.py", 2, 1000);
		add(profile, process, "/srv/b \"quoted\".py", 1, -10);
		profile__add_up(profile, process, BY_VALUE);
	}
	return profile;
}

static char *save(const struct profile *profile)
{
	struct render_options options = {.top = 20};
	size_t size;
	char *text;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(renderer__find("json")->render(profile, &options, file), 0);
	fclose(file);
	return text;
}

static int load(const char *text, struct profile **profile, char *why)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	struct json_source source;
	int err;

	json_source__open(&source, file);
	err = profile__load(&source, profile, why, 200);
	fclose(file);
	return err;
}

/* A loaded profile is saved again just as it was, in every mode, even once the first is freed. */
static void round_trip(void **state)
{
	const struct mode *mode;
	struct profile *first, *second;
	char *text, *again, why[200] = "";
	size_t i;

	(void)state;
	for (i = 0; (mode = mode__get(i)); i++) {
		first = make(mode->name);
		text = save(first);
		profile__free(first);
		assert_int_equal(load(text, &second, why), 0);
		again = save(second);
		assert_string_equal(text, again);
		profile__free(second);
		free(text);
		free(again);
	}
}

/* A file that is cut anywhere, but for blanks at its end, is refused. */
static void truncated(void **state)
{
	struct profile *profile = make("heap"), *loaded;
	char *text = save(profile), why[200];
	size_t length = strlen(text), i;

	(void)state;
	profile__free(profile);
	for (i = 1; i < length - 1; i += 7) {
		char kept = text[i];

		text[i] = '\0';
		why[0] = '\0';
		assert_int_equal(load(text, &loaded, why), -EINVAL);
		assert_true(why[0]);
		text[i] = kept;
	}
	free(text);
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"7",
		"{\"schema\": \"pymemtop.profile/2\"}",
		"{\"processes\": []}",
		"{\"values\": [{}]}",
		"{\"values\": [{\"name\": \"a\", \"kind\": \"x\"}]}",
		"{\"values\": [{\"name\": \"a\"}], \"processes\": [{\"pid\": 9999999999}]}",
		"{\"values\": [{\"name\": \"a\"}], \"processes\": [{\"stacks\": [{}]}]}",
		"{\"values\": [{\"name\": \"a\"}], \"processes\": [{\"lines\": [{\"change\": [1, 2]}]}]}",
		"[[[[[[[[[[[[[[[[[[[[[[[[",
		"{\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": "
		"{\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {",
	};
	struct profile *profile;
	char why[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		why[0] = '\0';
		assert_int_equal(load(texts[i], &profile, why), -EINVAL);
		assert_true(why[0]);
	}
}

static void grouped(void **state)
{
	static const size_t expected[] = {
		[GROUP_LINE] = 3,     [GROUP_FUNCTION] = 2, [GROUP_FILE] = 2,
		[GROUP_OWN_LINE] = 3, [GROUP_PROCESS] = 2,  [GROUP_PROGRAM] = 1,
	};
	struct profile *profile = make("heap");
	struct groups groups;
	int64_t sum;
	size_t by, i;

	(void)state;
	for (by = 0; by < sizeof(expected) / sizeof(expected[0]); by++) {
		assert_int_equal(profile__group(profile, NULL, by, BY_VALUE, NULL, &groups), 0);
		assert_int_equal(groups.n, expected[by]);
		for (i = sum = 0; i < groups.n; i++)
			sum += groups.groups[i].values.of[0];
		assert_int_equal(sum, 2 * (100 + 1000 - 10));
		assert_true(groups.groups[0].through == (by == GROUP_OWN_LINE));
		groups__free(&groups);
	}
	assert_int_equal(profile__group(profile, &profile->processes[0], GROUP_LINE, BY_CHANGE,
					NULL, &groups),
			 0);
	assert_int_equal(groups.n, 3);
	assert_int_equal(groups.groups[0].location.line, 2);
	assert_int_equal(groups.groups[0].change.of[0], 500);
	groups__free(&groups);
	profile__free(profile);
}

/* Equal strings, and equal locations, are the same pointer. */
static void interned(void **state)
{
	struct profile *profile = profile__new();
	struct location a = {strdup("x.py"), "f", 1}, b = {"x.py", "f", 1}, c = {"x.py", "f", 2};

	(void)state;
	assert_ptr_equal(profile__location(profile, &a), profile__location(profile, &b));
	assert_ptr_not_equal(profile__location(profile, &a), profile__location(profile, &c));
	assert_ptr_equal(profile__location(profile, &a)->file, profile__string(profile, "x.py"));
	free((char *)a.file);
	profile__free(profile);
}

static void levels(void **state)
{
	const struct schema *schema = mode__find("lines")->with_markers->schema;
	struct values a = {{10, 500, 3, 1}}, b = {{-4, 400, 1, 2}}, difference;

	(void)state;
	difference = values__difference(schema, &a, &b);
	assert_int_equal(difference.of[0], 14);
	assert_int_equal(difference.of[1], 0);
	values__add(schema, &a, &b);
	assert_int_equal(a.of[0], 6);
	assert_int_equal(a.of[1], 500);
	assert_int_equal(a.of[2], 4);
	assert_int_equal(a.of[3], 3);
}

/* A line has what was added below it, once, though a stack may have it twice. */
static void callers(void **state)
{
	struct profile *profile = make("lines");
	struct profile_process *process = &profile->processes[0];
	int64_t whole = 0, library = 0, own = 0;
	const struct location *twice[3];
	size_t i;

	(void)state;
	twice[0] = process->stacks[0].frames[0];
	twice[1] = twice[2] = process->stacks[0].frames[1];
	process->stacks[0].frames = twice;
	process->stacks[0].nframes = 3;
	for (i = 0; i < process->nstacks; i++)
		whole += process->stacks[i].values.of[0];
	assert_int_equal(callers__add(profile, process), 0);
	for (i = 0; i < process->nlines; i++) {
		if (process->lines[i].location->line == 7)
			library += process->lines[i].values.of[0];
		else
			own += process->lines[i].values.of[0];
	}
	assert_int_equal(library, whole);
	assert_int_equal(own, whole);
	assert_int_equal(callers__find_elsewhere(profile, process), 0);
	assert_int_equal(process->elsewhere_bytes, 0);
	process->nlines = 0;
	assert_int_equal(callers__find_elsewhere(profile, process), 0);
	assert_int_equal(process->elsewhere_bytes, whole);
	profile__free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers),   cmocka_unit_test(round_trip),
		cmocka_unit_test(truncated), cmocka_unit_test(refused),
		cmocka_unit_test(grouped),   cmocka_unit_test(interned),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
