// SPDX-License-Identifier: BSD-2-Clause
/* Tells which objects are alive in processes, by type, from their memory alone: needs no BPF. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/json.h"
#include "base/output.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "cli/options.h"
#include "inspect/census.h"
#include "target/images.h"
#include "target/target.h"
#include "version.h"

#define SCHEMA "pymemtop.objects/1"

/* A process, and what was alive in it at first, NULL if it is looked at once, and now. */
struct inspected {
	struct target *target;
	struct census *first, *now;
	uint64_t rss;
	double seconds; /* that the last census took */
};

static int take_census(struct inspected *inspected)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	int err;

	census__free(inspected->first);
	inspected->first = inspected->now;
	inspected->now = NULL;
	err = census__take(inspected->target, &inspected->now);
	inspected->rss = proc_rss(inspected->target->pid);
	inspected->seconds = clock_seconds(CLOCK_MONOTONIC) - begin;
	if (!err)
		log_detail("process %d: %" PRIu64 " objects", inspected->target->pid,
			   inspected->now->count);
	return err;
}

/* What a type has gained since the first census. */
static struct census_type growth_of(const struct inspected *inspected,
				    const struct census_type *type)
{
	const struct census_type *before = census__find(inspected->first, type->name);

	return (struct census_type){
		.name = type->name,
		.count = type->count - (before ? before->count : 0),
		.bytes = type->bytes - (before ? before->bytes : 0),
	};
}

static void print_count_change(FILE *out, int64_t change)
{
	const char *sign = change < 0 ? "-" : change ? "+" : "";
	char text[FORMAT_SIZE + 1];

	snprintf(text, sizeof(text), "%s%s", sign,
		 format_count(change < 0 ? -(uint64_t)change : (uint64_t)change).s);
	fprintf(out, " %12s", text);
}

static void print_types(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct census *census = inspected->now;
	struct census_type growth;
	size_t i;

	fprintf(out, "  %12s", "objects");
	if (inspected->first)
		fprintf(out, " %12s %12s", "change", "bytes");
	fprintf(out, " %12s  type\n", inspected->first ? "change" : "bytes");
	for (i = 0; i < census->ntypes && i < top; i++) {
		fprintf(out, "  %12s", format_count(census->types[i].count).s);
		if (inspected->first) {
			growth = growth_of(inspected, &census->types[i]);
			print_count_change(out, growth.count);
		}
		fprintf(out, " %12s", format_bytes(census->types[i].bytes).s);
		if (inspected->first)
			fprintf(out, " %12s", format_change(growth.bytes).s);
		fprintf(out, "  %s\n", census->types[i].name);
	}
	if (i < census->ntypes)
		fprintf(out, "  and %s more types: --top %zu shows them\n",
			format_count(census->ntypes - i).s, census->ntypes);
}

static void print_report(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct census *census = inspected->now;
	const struct target *target = inspected->target;
	char *cmdline = utf8_from_str((const uint8_t *)target->cmdline, strlen(target->cmdline), 0);

	fprintf(out, "Process %d: %s\n", target->pid, cmdline ? cmdline : "?");
	free(cmdline);
	fprintf(out, "  CPython %s; %s objects take %s of %s resident; read in %.1f s\n",
		target->version, format_count(census->count).s, format_bytes(census->bytes).s,
		format_bytes(inspected->rss).s, inspected->seconds);
	if (!census->pool_bytes)
		fprintf(out, "  It has no pools of small objects (PYTHONMALLOC, or another build): "
			     "what is found is what its static data leads to\n");
	if (census->swapped_bytes)
		fprintf(out, "  %s are swapped out, and were not looked at\n",
			format_bytes(census->swapped_bytes).s);
	if (census->left_out)
		fprintf(out, "  %s addresses were too many, and are left out\n",
			format_count(census->left_out).s);
	if (census->torn)
		fprintf(out, "  %s pools changed while they were read, and are left out\n",
			format_count(census->torn).s);
	fputc('\n', out);
	print_types(out, inspected, top);
	fputc('\n', out);
}

static void put_type(struct json_writer *writer, const struct inspected *inspected,
		     const struct census_type *type)
{
	struct census_type growth;

	json__open_map(writer);
	json__text_member(writer, "type", type->name);
	json__integer_member(writer, "count", type->count);
	json__integer_member(writer, "bytes", type->bytes);
	if (inspected->first) {
		growth = growth_of(inspected, type);
		json__integer_member(writer, "count_change", growth.count);
		json__integer_member(writer, "bytes_change", growth.bytes);
	}
	json__close_map(writer);
}

static void put_process(struct json_writer *writer, const struct inspected *inspected)
{
	const struct census *census = inspected->now;
	size_t i;

	json__open_map(writer);
	json__integer_member(writer, "pid", inspected->target->pid);
	json__text_member(writer, "cmdline", inspected->target->cmdline);
	json__text_member(writer, "python", inspected->target->version);
	json__integer_member(writer, "rss_bytes", inspected->rss);
	json__integer_member(writer, "objects", census->count);
	json__integer_member(writer, "bytes", census->bytes);
	json__integer_member(writer, "pool_bytes", census->pool_bytes);
	json__integer_member(writer, "swapped_bytes", census->swapped_bytes);
	json__integer_member(writer, "left_out", census->left_out);
	json__integer_member(writer, "torn_pools", census->torn);
	json__string(writer, "types");
	json__open_array(writer);
	for (i = 0; i < census->ntypes; i++)
		put_type(writer, inspected, &census->types[i]);
	/* What was there, and is there no more. */
	for (i = 0; inspected->first && i < inspected->first->ntypes; i++) {
		if (!census__find(census, inspected->first->types[i].name))
			put_type(writer, inspected,
				 &(struct census_type){.name = inspected->first->types[i].name});
	}
	json__close_array(writer);
	json__close_map(writer);
}

static int print_json(FILE *out, const struct inspected *all, size_t n)
{
	struct json_writer *writer = json_writer__new(out);
	size_t i;

	if (!writer)
		return -ENOMEM;
	json__open_map(writer);
	json__string_member(writer, "schema", SCHEMA);
	json__string_member(writer, "version", PYMEMTOP_VERSION);
	json__string(writer, "processes");
	json__open_array(writer);
	for (i = 0; i < n; i++) {
		if (all[i].target)
			put_process(writer, &all[i]);
	}
	json__close_array(writer);
	json__close_map(writer);
	return json_writer__end(writer);
}

static int print_all(const struct options *options, struct output *output,
		     const struct inspected *all)
{
	FILE *out = output__stream(output);
	size_t i;
	int err = 0;

	if (options->json)
		err = print_json(out, all, options->npids);
	for (i = 0; !options->json && i < options->npids; i++) {
		if (all[i].target)
			print_report(out, &all[i], options->render.top);
	}
	/* output__flush() says what is wrong with the stream itself. */
	return err && !ferror(out) ? err : output__flush(output);
}

/* Waits for as many seconds, or until a signal comes, as Ctrl-C: then the second look is due. */
static void pause_for(double seconds)
{
	struct pollfd signal = {.fd = signals__fd(), .events = POLLIN};
	double end = clock_seconds(CLOCK_MONOTONIC) + seconds, left = seconds;

	while (!signals__caught() && left > 0) {
		poll(&signal, 1, left < 1000 ? left * 1000 + 1 : 1000000);
		left = end - clock_seconds(CLOCK_MONOTONIC);
	}
}

/* Looks at all processes. One that has ended is left out from then on, and makes the exit status
 * that of a failure. */
static int look(struct inspected *all, size_t n, int *failed)
{
	size_t i;
	int err;

	for (i = 0; i < n; i++) {
		err = all[i].target ? take_census(&all[i]) : 0;
		if (err == -EINTR || err == -ENOMEM)
			return err;
		if (err) {
			*failed = err;
			target__free(all[i].target);
			all[i].target = NULL;
		}
	}
	return 0;
}

static int inspect_all(const struct options *options, struct output *output, struct inspected *all,
		       int *failed)
{
	const struct target_spec spec = {.images = options->images};
	int err = 0;
	size_t i;

	for (i = 0; !err && i < options->npids; i++)
		err = target__new(options->pids[i], &spec, &all[i].target);
	if (!err)
		err = look(all, options->npids, failed);
	if (!err && options->interval) {
		pause_for(options->interval);
		err = look(all, options->npids, failed);
	}
	if (!err)
		err = print_all(options, output, all);
	return err ? err : output__commit(output);
}

static int inspect_run(const struct options *options)
{
	struct inspected *all = calloc(options->npids, sizeof(*all));
	struct output *output;
	size_t i;
	int err, failed = 0;

	if (!all)
		return -ENOMEM;
	signals__catch();
	err = output__new(options->output, &output);
	if (!err) {
		err = inspect_all(options, output, all, &failed);
		output__free(output);
	}
	for (i = 0; i < options->npids; i++) {
		census__free(all[i].first);
		census__free(all[i].now);
		target__free(all[i].target);
	}
	free(all);
	return err ? err : failed;
}

#define OPTION_TOP 1024

static const struct argp_option inspect_options[] = {
	{"pid", 'p', "PID[,PID...]", 0, "Inspect these processes; can be repeated", 1},
	{"interval", 'i', "SECONDS", 0,
	 "Look twice, this far apart or until Ctrl-C, and show what has changed", 1},
	{"format", 'f', "report|json", 0, "How it is written (report)", 2},
	{"output", 'o', "FILE", 0, "Write there, whole or not at all (stdout)", 2},
	{"top", OPTION_TOP, "N", 0, "report: types of each process (20)", 2},
	{0},
};

static int parse_format(struct options *options, const char *text)
{
	options->json = !strcmp(text, "json");
	return options->json || !strcmp(text, "report")
		       ? 0
		       : usage_error("--format %s: give report or json", text);
}

static int parse_inspect_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
	case 'i':
		return options__parse_option(key, arg, state);
	case 'f':
		return parse_format(options, arg);
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_TOP:
		return options__parse_number("--top", arg, 1, INT_MAX, &options->render.top);
	case ARGP_KEY_INIT:
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int check_inspect(const struct options *options)
{
	return options->npids
		       ? 0
		       : usage_error("which process? Give -p PID; see pymemtop inspect --help");
}

static const struct argp inspect_argp = {
	.options = inspect_options,
	.parser = parse_inspect_option,
	.children = general_children,
	.args_doc = "-p PID",
	.doc = "Tells which objects are alive in a process now, by type, from its memory alone: it needs "
	       "no probe and no preparation, and stops nothing.\v"
	       "It takes the right to read the process's memory: root's, or CAP_SYS_PTRACE, or the "
	       "process's own user where kernel.yama.ptrace_scope is 0. Sizes are those of "
	       "sys.getsizeof().\n\n"
	       "Examples:\n"
	       "  sudo pymemtop inspect -p 4242\n"
	       "  sudo pymemtop inspect -p 4242 -i 30",
};

const struct command inspect_command = {
	.name = "inspect",
	.help = "what is alive in a process, by type: pymemtop inspect --help",
	.argp = &inspect_argp,
	.check = check_inspect,
	.run = inspect_run,
};
