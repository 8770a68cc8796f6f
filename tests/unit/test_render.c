// SPDX-License-Identifier: BSD-2-Clause
/* Output: numbers, text, folded stacks, json, files. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/format.h"
#include "base/output.h"
#include "base/utf8.h"
#include "modes/modes.h"
#include "cli/limits.h"
#include "probes/probe_table.h"
#include "render/renderers.h"
#include "symbols/code_objects.h"
#include "symbols/stack_table.h"

static void numbers(void **state)
{
	(void)state;
	assert_string_equal(format_bytes(0).s, "0 B");
	assert_string_equal(format_bytes(1023).s, "1023 B");
	assert_string_equal(format_bytes(1024).s, "1.0 KiB");
	assert_string_equal(format_bytes(1048575).s, "1.0 MiB");
	assert_string_equal(format_bytes(12902727).s, "12.3 MiB");
	assert_string_equal(format_bytes(UINT64_MAX).s, "16.0 EiB");
	assert_string_equal(format_change(0).s, "0 B");
	assert_string_equal(format_change(-2048).s, "-2.0 KiB");
	assert_string_equal(format_change(2048).s, "+2.0 KiB");
	assert_string_equal(format_change(INT64_MIN).s, "-8.0 EiB");
	assert_string_equal(format_count(0).s, "0");
	assert_string_equal(format_count(999).s, "999");
	assert_string_equal(format_count(1000).s, "1,000");
	assert_string_equal(format_count(12345678).s, "12,345,678");
}

static void assert_text(const void *data, size_t size, unsigned int kind, const char *expected)
{
	char *text = utf8_from_str(data, size, kind);

	assert_string_equal(text, expected);
	free(text);
}

static void text(void **state)
{
	(void)state;
	assert_text("", 0, 1, "");
	assert_text("abc", 3, 1, "abc");
	assert_text("gr\xf6\xdf", 4, 1, "größ");
	assert_text((uint16_t[]){0x6587, 0x4ef6}, 4, 2, "文件");
	assert_text((uint32_t[]){0x1f40d}, 4, 4, "\U0001f40d");
	/* Surrogates, controls, and a character that reverses the direction of text. */
	assert_text((uint16_t[]){'a', 0xdcff}, 4, 2, "a\\udcff");
	assert_text("\x1b[31m\n\x7f", 7, 1, "\\x1b[31m\\x0a\\x7f");
	assert_text((uint16_t[]){0x202e}, 2, 2, "\\u202e");
	assert_text((uint16_t[]){0x200e, 0x200b, 0xad}, 6, 2, "\\u200e\\u200b\\xad");
	assert_text((uint32_t[]){0xe0041, 0x3164, 0xe9}, 12, 4, "\\U000e0041\\u3164\xc3\xa9");
	assert_text((uint32_t[]){0x110000}, 4, 4, "\\U00110000");
	/* Half a character. */
	assert_text("abc", 3, 2, "扡");
	/* UTF-8 as it comes: valid, broken, overlong, a surrogate. */
	assert_text("gr\xc3\xb6\xc3\x9f", 6, 0, "größ");
	assert_text("\xff\xc3", 2, 0, "\\udcff\\udcc3");
	assert_text("\xc0\x80", 2, 0, "\\udcc0\\udc80");
	assert_text("\xed\xa0\x80", 3, 0, "\\udced\\udca0\\udc80");
	assert_text("\xf0\x9f\x90\x8d", 4, 0, "\U0001f40d");

	char name[] = "a\x1b[2J\n\xff~";

	utf8_keep_ascii(name);
	assert_string_equal(name, "a?[2J??~");
}

static const struct location outer = {"/a;b c.py", "<module>", 1};
static const struct location inner = {"/a;b c.py", "f;g", 20};
static const struct location cut = {"[cut]", "", 0};

static struct profile_process process = {
	.pid = 42,
	.comm = "my;prog",
	.cmdline = "python3 app.py",
	.python = "3.11.2",
	.attribution = "frames",
};

/* Values: outstanding bytes and count, mapped bytes and count, allocated bytes and count. */
static struct profile make_profile(void)
{
	static const struct location *const frames[] = {&inner, &outer, &cut};
	static struct profile_stack stacks[] = {
		{3, frames, {{1000, 10, 4096, 1, 5000, 50}}, {{-24, -1}}},
		{1, frames, {{0, 0, 0, 0, 700, 7}}, {{0}}},
	};
	static struct profile_line lines[] = {
		{.location = &inner,
		 .values = {{1000, 10, 4096, 1, 5700, 57}},
		 .change = {{-24, -1}}},
	};

	process.stacks = stacks;
	process.nstacks = 2;
	process.lines = lines;
	process.nlines = 1;
	process.total = lines[0].values;
	process.change = lines[0].change;
	return (struct profile){.host = "here",
				.mode = "heap",
				.time = 0,
				.duration_seconds = 2,
				.interval_seconds = 1,
				.map_bytes = 2048,
				.schema = *mode__find("heap")->schema,
				.nprocesses = 1,
				.processes = &process};
}

static char *render(const char *format, enum weight weight)
{
	const struct renderer *renderer = renderer__find(format);
	struct render_options options = {.top = 20, .weight = weight};
	struct profile profile = make_profile();
	size_t size;
	char *out;
	FILE *file = open_memstream(&out, &size);

	assert_non_null(renderer);
	assert_int_equal(renderer->render(&profile, &options, file), 0);
	fclose(file);
	return out;
}

static void folded(void **state)
{
	char *out = render("folded", WEIGHT_BYTES);

	(void)state;
	/* A semicolon in a name would add a frame. */
	assert_string_equal(out,
			    "my:prog 42;[cut];<module> (/a:b c.py:1);f:g (/a:b c.py:20) 5096\n");
	free(out);
	out = render("folded", WEIGHT_COUNT);
	assert_string_equal(out, "my:prog 42;[cut];<module> (/a:b c.py:1);f:g (/a:b c.py:20) 11\n");
	free(out);
	out = render("folded", WEIGHT_ALLOCATED);
	assert_string_equal(out, "my:prog 42;[cut];<module> (/a:b c.py:1);f:g (/a:b c.py:20) 5000\n"
				 "my:prog 42;f:g (/a:b c.py:20) 700\n");
	free(out);
}

static void json(void **state)
{
	char *out = render("json", WEIGHT_BYTES);
	json_t *object = json_loads(out, 0, NULL), *first, *stack;
	const char *schema, *file;
	json_int_t maps, mapped, increment, line;

	(void)state;
	assert_non_null(object);
	assert_int_equal(json_unpack(object, "{s:s, s:I, s:[o]}", "schema", &schema, "map_bytes",
				     &maps, "processes", &first),
			 0);
	assert_int_equal(maps, 2048);
	assert_string_equal(schema, "pymemtop.profile/1");
	assert_int_equal(json_unpack(first, "{s:I, s:[{s:I, s:s}], s:[o, o]}", "mapped_bytes",
				     &mapped, "lines", "increment_bytes", &increment, "file", &file,
				     "stacks", &stack, &object),
			 0);
	assert_int_equal(mapped, 4096);
	assert_int_equal(increment, -24);
	assert_string_equal(file, "/a;b c.py");
	assert_int_equal(json_unpack(stack, "{s:[{s:I}]}", "frames", "line", &line), 0);
	assert_int_equal(line, 20);
	free(out);
}

/* Stacks are lists of frames, the outermost first, with a weight each; all together are the end. */
static void speedscope(void **state)
{
	char *out = render("speedscope", WEIGHT_BYTES);
	json_t *object = json_loads(out, 0, NULL), *frames, *profile, *samples, *weights, *sample,
	       *name;
	json_int_t sum = 0, end;
	size_t i, k;

	(void)state;
	assert_non_null(object);
	assert_int_equal(json_unpack(object, "{s:{s:o}, s:[o]}", "shared", "frames", &frames,
				     "profiles", &profile),
			 0);
	assert_int_equal(json_unpack(profile, "{s:o, s:o, s:I}", "samples", &samples, "weights",
				     &weights, "endValue", &end),
			 0);
	assert_true(json_array_size(samples) > 0);
	assert_int_equal(json_array_size(samples), json_array_size(weights));
	for (i = 0; i < json_array_size(samples); i++) {
		sum += json_integer_value(json_array_get(weights, i));
		sample = json_array_get(samples, i);
		for (k = 0; k < json_array_size(sample); k++)
			assert_true((size_t)json_integer_value(json_array_get(sample, k)) <
				    json_array_size(frames));
	}
	assert_int_equal(sum, end);
	sample = json_array_get(samples, 0);
	name = json_object_get(json_array_get(frames,
					      json_integer_value(json_array_get(
						      sample, json_array_size(sample) - 1))),
			       "name");
	assert_string_equal(json_string_value(name), "f;g");
	json_decref(object);
	free(out);
}

static void report(void **state)
{
	char *out = render("report", WEIGHT_BYTES);

	(void)state;
	assert_non_null(strstr(out, "Process 42: python3 app.py\n"));
	assert_non_null(strstr(out, "attribution frames"));
	assert_non_null(strstr(out, "Maps         2.0 KiB of kernel memory"));
	assert_non_null(strstr(out, "Lost         nothing\n"));
	assert_non_null(strstr(out, "       -24 B        1000 B       4.0 KiB            57  "
				    "/a;b c.py:20 (f;g)\n"));
	free(out);
	process.lost[LOST_BLOCK] = 1234;
	out = render("report", WEIGHT_BYTES);
	process.lost[LOST_BLOCK] = 0;
	assert_non_null(strstr(out, "1,234 blocks (more live blocks than --max-blocks)\n"));
	free(out);
}

/* RssAnon is the sum of the parts that every output shows. */
static void resident(void **state)
{
	const struct renderer *renderer = renderer__find("folded");
	struct render_options options = {.top = 20};
	struct profile profile = make_profile();
	json_int_t before, unattributed, held;
	json_t *object;
	size_t size;
	FILE *file;
	char *out;

	(void)state;
	profile.mode = "rss";
	profile.schema = *mode__find("rss")->schema;
	/* Resident bytes and pages, shared ones, touched bytes. */
	process.lines[0].values = (struct values){{1000, 10, 300, 3, 5700}};
	process.stacks[0].values = (struct values){{1000, 10, 300, 3, 5000}};
	process.stacks[1].values = (struct values){{0, 0, 0, 0, 700}};
	process.lines[0].change = process.change = (struct values){{0}};
	process.total = process.lines[0].values;
	profile.counts_resident = true;
	process.rss_anon_bytes = 17384;
	process.before_attach_bytes = 12288;
	process.unattributed_bytes = 4096;
	process.shared_before_bytes = 8192;
	process.shared_bytes = 8492;
	file = open_memstream(&out, &size);
	assert_int_equal(renderer->render(&profile, &options, file), 0);
	fclose(file);
	assert_string_equal(out,
			    "my:prog 42;[cut];<module> (/a:b c.py:1);f:g (/a:b c.py:20) 1300\n"
			    "my:prog 42;[before attach] 12288\nmy:prog 42;[shared memory] 8192\n"
			    "my:prog 42;[unattributed] 4096\n");
	free(out);
	file = open_memstream(&out, &size);
	assert_int_equal(renderer__find("json")->render(&profile, &options, file), 0);
	fclose(file);
	object = json_loads(out, 0, NULL);
	assert_int_equal(json_unpack(object, "{s:[{s:I, s:I, s:I}]}", "processes", "resident_bytes",
				     &held, "before_attach_bytes", &before, "unattributed_bytes",
				     &unattributed),
			 0);
	assert_int_equal(held + before + unattributed, 17384);
	free(out);
	process.unattributed_bytes = -4096;
	file = open_memstream(&out, &size);
	assert_int_equal(renderer__find("report")->render(&profile, &options, file), 0);
	fclose(file);
	assert_non_null(strstr(out,
			       "RssAnon      17.0 KiB = 12.0 KiB before the attach + 1000 B of the "
			       "lines (0 B) + 0 B in arenas + -4.0 KiB unattributed\n"));
	assert_non_null(
		strstr(out, "Shared       8.3 KiB in shared mappings = 8.0 KiB before the attach "
			    "+ 300 B of the lines (0 B) + 0 B unattributed\n"));
	assert_non_null(strstr(out, "   Increment   First touch        Shared       Touched  Line "
				    "(function)\n"));
	free(out);
}

static void limits(void **state)
{
	static const struct {
		const char *text;
		double most; /* negative: it is refused */
	} cases[] = {
		{"held > 100MiB", 100 << 20},
		{"held>1", 1},
		{"growth > 60KiB/min", 1024},
		{"growth > 1 MB/h", 1e6 / 3600},
		{"lost > 0", 0},
		{"peak > 1.5kB", 1500},
		{"growth > 1MiB", -1},
		{"held > x", -1},
		{"held < 1", -1},
		{"held > -1", -1},
		{"lost > 1KiB", -1},
		{"held > 1MiBs", -1},
		{"", -1},
		{"held > nan", -1},
		{"heldup > 1", -1},
	};
	struct limit limit;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].most < 0) {
			assert_int_equal(limit__parse(cases[i].text, &limit), -EINVAL);
			continue;
		}
		assert_int_equal(limit__parse(cases[i].text, &limit), 0);
		assert_true(fabs(limit.most - cases[i].most) < 1e-6);
	}
}

/* A file is complete, or as it was. */
static void files(void **state)
{
	char dir[] = "/tmp/pymemtop-test-XXXXXX", path[64], text[32] = "";
	struct output *output;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	assert_int_equal(output__new(path, &output), 0);
	fputs("first", output__stream(output));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(output__commit(output), 0);
	output__free(output);
	assert_int_equal(output__new(path, &output), 0);
	fputs("second", output__stream(output));
	output__free(output);
	file = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "first");
	unlink(path);
	/* Nothing else was left in the folder. */
	assert_int_equal(rmdir(dir), 0);
	freopen("/dev/null", "w", stderr);
	assert_true(output__new("/no/such/directory/out", &output) < 0);
	assert_true(output__new("/", &output) < 0);
}

/* Records from the ring are not trusted to make sense. */
static void records(void **state)
{
	struct stack_table *stacks = stack_table__new();
	struct code_part part = {.record = {RECORD_CODE_PART, 1}, .code = 0x1000};
	struct code_record code = {.record = {RECORD_CODE, 1},
				   .code = 0x1000,
				   .first_line = 3,
				   .line_table = LINES_LOCATIONS};
	struct site_record site = {.record = {RECORD_SITE, 1},
				   .site = 5,
				   .namer = 1,
				   .nframes = 1,
				   .frames = {{0x1000, 2, FRAME_GENERATOR}}};
	static const uint8_t table[] = {0x80 | 10 << 3 | 1, 0, 0}, *const bytes = table;
	const size_t header = sizeof(part) - CODE_PART_SIZE;
	const struct stack *stack;

	(void)state;
	part.part = PART_FILENAME;
	part.kind = 1;
	part.total = part.size = 4;
	memcpy(part.data, "a.py", 4);
	assert_int_equal(stack_table__add_record(stacks, &part, header + 4), 0);
	part.part = PART_FUNCTION;
	part.total = part.size = 1;
	assert_int_equal(stack_table__add_record(stacks, &part, header + 1), 0);
	part.part = PART_LINETABLE;
	part.kind = 0;
	part.total = part.size = sizeof(table);
	memcpy(part.data, bytes, sizeof(table));
	assert_int_equal(stack_table__add_record(stacks, &part, header + sizeof(table)), 0);
	assert_int_equal(stack_table__add_record(stacks, &code, sizeof(code)), 0);
	assert_int_equal(stack_table__add_record(stacks, &site, sizeof(site)), 0);
	assert_int_equal(stack_table__of_site(stacks, 5), 0);
	stack = stack_table__get(stacks, 0);
	assert_int_equal(stack->nframes, 1);
	assert_string_equal(stack->frames[0]->file, "a.py");
	assert_string_equal(stack->frames[0]->function, "a");
	assert_int_equal(stack->frames[0]->line, 3);

	/* Cut short, or with counts that do not fit. */
	part.size = 500;
	part.total = 400;
	assert_int_equal(stack_table__add_record(stacks, &part, sizeof(part)), 0);
	part.offset = 0xfffffff0;
	part.size = 0x20;
	assert_int_equal(stack_table__add_record(stacks, &part, sizeof(part)), 0);
	assert_int_equal(stack_table__add_record(stacks, &part, 7), 0);
	site.nframes = MAX_FRAMES + 1;
	assert_int_equal(stack_table__add_record(stacks, &site, sizeof(site)), 0);
	site.nframes = 100;
	assert_int_equal(stack_table__add_record(stacks, &site, 64), 0);
	assert_int_equal(stack_table__count(stacks), 1);
	assert_int_equal(stack_table__of_site(stacks, 1 << 19), -1);
	stack_table__free(stacks);
}

/* A probe table finds each probe, whatever its address. */
static void dispatching(void **state)
{
	struct probe_entry probes[60];
	struct probe_slots table;
	int i, k;

	(void)state;
	srand(1);
	for (i = 0; i < 500; i++) {
		for (k = 0; k < 60; k++) {
			probes[k].address = 0x7f0000000000 + ((__u64)rand() << 8) + rand() % 256;
			probes[k].kind = 1 + k % 14;
			probes[k].marker = k;
		}
		/* An alias: the same probe twice. */
		probes[59] = probes[0];
		assert_int_equal(probe_table__make(probes, 60, &table), 0);
		for (k = 0; k < 60; k++) {
			__u32 slot = PROBE_SLOT(probes[k].address, table.multiplier);

			assert_int_equal(table.kind[slot], probes[k].kind);
			assert_int_equal(table.marker[slot], probes[k].marker);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),  cmocka_unit_test(text),	   cmocka_unit_test(folded),
		cmocka_unit_test(json),	    cmocka_unit_test(speedscope),  cmocka_unit_test(report),
		cmocka_unit_test(resident), cmocka_unit_test(limits),	   cmocka_unit_test(files),
		cmocka_unit_test(records),  cmocka_unit_test(dispatching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
