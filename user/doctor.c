// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "format.h"
#include "kernel_features.h"
#include "maps.h"
#include "options.h"
#include "source.h"
#include "system.h"
#include "verifier_stats.h"
#include "version.h"

/* 0, or -errno of the first thing that is required and missing. */
static int print_checks(void)
{
	const struct system_check *check;
	int err, first = 0;
	char said[256];
	size_t i;

	for (i = 0; (check = system_check__get(i)); i++) {
		err = check->look(said, sizeof(said));
		printf("  %-4s %-15s %s\n", err ? "NO" : "ok", check->name, said);
		if (check->required && !first)
			first = err;
	}
	return first;
}

static void print_features(void)
{
	int i;

	for (i = 0; i < FEATURES; i++) {
		printf("  %-4s %s\n", feature__has(i) ? "yes" : "no", feature__name(i));
		if (!feature__has(i))
			printf("       in its place: %s\n", feature__substitute(i));
	}
}

static void print_instructions(const struct verifier_stats *stats)
{
	long instructions;
	const char *name;
	size_t i;

	for (i = 0; (name = verifier_stats__get(stats, i, &instructions)); i++)
		printf("       %-24s %10s verified instructions\n", name,
		       instructions < 0 ? "unknown" : format_count(instructions).s);
}

/* Loads a mode's programs, as a recording would, and attaches none. markers: with those that
 * follow CPython's markers. 0 or -errno. */
static int try_mode(const struct source_type *type, const struct source_options *defaults, bool markers)
{
	struct source_options options = *defaults;
	struct stacks *stacks = stacks__new();
	struct source *source = NULL;
	int err = -ENOMEM;

	options.targets = 1;
	options.markers = markers;
	options.stats = verifier_stats__new();
	if (stacks && options.stats) {
		/* Why it cannot be loaded goes before its line. */
		fflush(stdout);
		err = source__open(type, &options, stacks, &source);
		printf("  %-4s %s, by %s%s", err ? "NO" : "ok", type->name, markers ? "markers" : "frames",
		       err ? "\n" : ": ");
		if (!err)
			printf("%s of kernel memory for its maps, at the start\n",
			       format_bytes(maps__memory(source->object)).s);
		if (!err)
			print_instructions(options.stats);
	}
	source__close(source);
	verifier_stats__free(options.stats);
	stacks__free(stacks);
	return err;
}

static int try_modes(void)
{
	const struct source_type *type;
	struct source_options options;
	int err = 0, failed;
	size_t i;

	source_options__init(&options);
	for (i = 0; (type = source_type__get(i)); i++) {
		failed = type->by_line ? 0 : try_mode(type, &options, false);
		err = err ? err : failed;
		failed = try_mode(type, &options, true);
		err = err ? err : failed;
	}
	return err;
}

int doctor__run(void)
{
	int err;

	printf("pymemtop %s\n\nThis machine:\n", PYMEMTOP_VERSION);
	err = print_checks();
	if (err) {
		printf("\nWith what says NO, nothing can be recorded here.\n");
		return EXIT_FAILURE;
	}
	printf("\nThe kernel's newer features, found by trying:\n");
	print_features();
	printf("\nModes:\n");
	err = try_modes();
	printf(err ? "\nModes that say NO cannot be used here; the lines above tell why.\n" :
	       "\nAll modes can be used here.\n");
	return err || fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
