// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/kernel.h"
#include "base/system.h"
#include "cli/options.h"
#include "collect/bpf_maps.h"
#include "collect/verifier_stats.h"
#include "modes/modes.h"
#include "collect/verifier_stats.h"
#include "version.h"

/* Returns 0, or -errno of the first required check that failed. */
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

/* Loads a mode's programs as a recording would, but attaches none. markers: also those that follow
 * CPython's markers. Returns 0 or -errno. */
static int try_mode(const struct mode *mode, const struct collector_options *defaults, bool markers)
{
	struct collector_options options = *defaults;
	struct collector *collector = NULL;
	int err = -ENOMEM;

	options.targets = 1;
	options.markers = markers;
	options.stats = verifier_stats__new();
	if (options.stats) {
		/* Why it cannot be loaded goes to stderr, before the line of the mode. */
		fflush(stdout);
		err = collector__open(mode->collector, mode->name, &options, &collector);
		printf("  %-4s %s%s, by %s%s", err ? "NO" : "ok", mode->name,
		       mode->needs_markers ? " --markers" : "", markers ? "markers" : "frames",
		       err ? "\n" : ": ");
		if (!err)
			printf("%s of kernel memory for its maps, at the start\n",
			       format_bytes(maps__memory(collector->object)).s);
		if (!err)
			print_instructions(options.stats);
	}
	collector__close(collector);
	verifier_stats__free(options.stats);
	return err;
}

static int try_modes(void)
{
	const struct mode *mode;
	struct collector_options options;
	int err = 0, failed;
	size_t i;

	collector_options__init(&options);
	for (i = 0; (mode = mode__get(i)); i++) {
		failed = try_mode(mode, &options, false);
		err = err ? err : failed;
		failed = try_mode(mode, &options, true);
		if (!failed && mode->with_markers)
			failed = try_mode(mode->with_markers, &options, true);
		err = err ? err : failed;
	}
	return err;
}

static int run_doctor(const struct options *options)
{
	int err;

	(void)options;
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
	printf(err ? "\nModes that say NO cannot be used here; the lines above tell why.\n"
		   : "\nAll modes can be used here.\n");
	return err || fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_doctor_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	options__init_children(state);
	return 0;
}

static int check_doctor(const struct options *options)
{
	return options->argv ? usage_error("doctor takes no arguments") : 0;
}

static const struct argp doctor_argp = {
	.parser = parse_doctor_option,
	.children = general_children,
	.doc = "Tells what works on this machine, what does not, why, and what helps: what a report of "
	       "a fault should have with it. The exit status is 0 where all modes can be used.",
};

const struct command doctor_command = {
	.name = "doctor",
	.help = "what works on this machine, what does not, why, and what helps",
	.argp = &doctor_argp,
	.check = check_doctor,
	.run = run_doctor,
};
