// SPDX-License-Identifier: BSD-2-Clause
/* Metrics: bounded, adding up, and not coming and going. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modes/modes.h"
#include "profile/program_name.h"
#include "serve/metrics.h"

#define LINES 5

static struct location locations[LINES];
static struct profile_line lines[LINES];
static struct profile_process process;
static struct profile profile;

static void make_profile(const int64_t *bytes)
{
	size_t i;

	profile = (struct profile){.mode = "heap", .schema = *mode__find("heap")->schema};
	profile.processes = &process;
	profile.nprocesses = 1;
	process = (struct profile_process){
		.pid = 7,
		.comm = "python3",
		.cmdline = "python3 -X dev -u /srv/a\"b\\c.py --port 1",
		.lines = lines,
		.nlines = LINES,
	};
	for (i = 0; i < LINES; i++) {
		locations[i] = (struct location){"/srv/app.py", "f", (int)i + 1};
		lines[i] = (struct profile_line){.location = &locations[i]};
		lines[i].values.of[0] = bytes[i];
	}
}

static char *write_metrics(struct metrics *metrics, bool openmetrics)
{
	const struct profile *profiles[] = {&profile};
	const struct metrics_input input = {profiles, 1, openmetrics, 1.5, 1 << 20, 0.25};
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(metrics__write(metrics, &input, out), 0);
	fclose(out);
	return text;
}

/* What a line has on its own; -1: it is not there. */
static long bytes_of(const char *text, const char *label)
{
	const char *found = strstr(text, label);

	return found ? strtol(strchr(found, '}') + 1, NULL, 10) : -1;
}

static void check_lines(const char *text, long first, long second, long third, long other)
{
	assert_int_equal(bytes_of(text, ",line=\"1\","), first);
	assert_int_equal(bytes_of(text, ",line=\"2\","), second);
	assert_int_equal(bytes_of(text, ",line=\"3\","), third);
	assert_int_equal(bytes_of(text, ",file=\"other\","), other);
}

/* The largest two, and the rest as one; who was there stays until another has a quarter more. */
static void stays(void **state)
{
	struct metrics *metrics = metrics__new(2);
	char *text;

	(void)state;
	make_profile((int64_t[]){100, 90, 80, 3, 2});
	text = write_metrics(metrics, false);
	check_lines(text, 100, 90, -1, 85);
	free(text);
	make_profile((int64_t[]){100, 90, 110, 3, 2});
	text = write_metrics(metrics, false);
	check_lines(text, 100, 90, -1, 115);
	free(text);
	make_profile((int64_t[]){100, 90, 120, 3, 2});
	text = write_metrics(metrics, false);
	check_lines(text, 100, -1, 120, 95);
	free(text);
	metrics__free(metrics);
}

static void escapes(void **state)
{
	struct metrics *metrics = metrics__new(20);
	char *text;

	(void)state;
	make_profile((int64_t[]){1, 2, 3, 4, 5});
	text = write_metrics(metrics, true);
	assert_non_null(strstr(text, "{program=\"a\\\"b\\\\c.py\",container=\"\",mode=\"heap\","));
	assert_non_null(strstr(text, "# TYPE pymemtop_allocated_bytes counter\n"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	text = write_metrics(metrics, false);
	assert_non_null(strstr(text, "# TYPE pymemtop_allocated_bytes_total counter\n"));
	assert_null(strstr(text, "# EOF"));
	free(text);
	metrics__free(metrics);
}

static void names(void **state)
{
	static const struct {
		const char *cmdline, *unit, *name;
	} cases[] = {
		{"python3 /srv/app.py x", NULL, "app.py"},
		{"python3 app.py", "shop.service", "shop"},
		{"python3 app.py", "session-3.scope", "app.py"},
		{"/usr/bin/python3 -u -W error -X dev -m gunicorn shop", NULL, "-m gunicorn"},
		{"python3 -c import x", NULL, "-c"},
		{"/venv/bin/python /venv/bin/gunicorn -w 4", NULL, "gunicorn"},
		{"python3", NULL, "comm"},
		{"", NULL, "comm"},
		{"python3 -m", NULL, "comm"},
		{"python3 -X", NULL, "comm"},
		{"python3 \033[31m.py", NULL, "\\x1b[31m.py"},
	};
	struct profile_process named = {.comm = "comm"};
	char *name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		named.cmdline = cases[i].cmdline;
		named.unit = cases[i].unit;
		name = program_name(&named);
		assert_string_equal(name, cases[i].name);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays),
		cmocka_unit_test(escapes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
