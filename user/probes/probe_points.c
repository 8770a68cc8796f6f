// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "probes/probe_points.h"

struct probed_function {
	const char *name;
	enum probe_kind kind;
	struct placement_spec spec;
};

/* Functions and what the BPF side reads of their calls: the allocator's, */
static const struct probed_function allocators[] = {
	{"malloc", PROBE_MALLOC, {.args = ARG(1), .returns = true}},
	{"valloc", PROBE_MALLOC, {.args = ARG(1), .returns = true}},
	{"pvalloc", PROBE_MALLOC, {.args = ARG(1), .returns = true}},
	{"calloc", PROBE_CALLOC, {.args = ARG(1) | ARG(2), .returns = true}},
	{"memalign", PROBE_MEMALIGN, {.args = ARG(2), .returns = true}},
	{"aligned_alloc", PROBE_MEMALIGN, {.args = ARG(2), .returns = true}},
	{"posix_memalign", PROBE_POSIX_MEMALIGN, {.args = ARG(1) | ARG(3), .returns = true}},
	{"realloc", PROBE_REALLOC, {.args = ARG(1) | ARG(2), .returns = true}},
	{"reallocarray", PROBE_REALLOCARRAY, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
	{"free", PROBE_FREE, {.args = ARG(1), .null_is_idle = true}},
	{"cfree", PROBE_FREE, {.args = ARG(1), .null_is_idle = true}},
	{"mmap", PROBE_MMAP, {.args = ARG(2) | ARG(3) | ARG(4), .returns = true}},
	{"mmap64", PROBE_MMAP, {.args = ARG(2) | ARG(3) | ARG(4), .returns = true}},
	{"munmap", PROBE_MUNMAP, {.args = ARG(1) | ARG(2), .returns = true}},
	{"mremap", PROBE_MREMAP, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
};

/* ... and those that take pages from where they are; what its allocator does, libc does
 * by way of them. */
static const struct probed_function mappers[] = {
	{"mmap", PROBE_MMAP, {.args = ARG(1) | ARG(2) | ARG(4)}},
	{"mmap64", PROBE_MMAP, {.args = ARG(1) | ARG(2) | ARG(4)}},
	{"munmap", PROBE_MUNMAP, {.args = ARG(1) | ARG(2)}},
	{"mremap", PROBE_MREMAP, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
	{"madvise", PROBE_MADVISE, {.args = ARG(1) | ARG(2) | ARG(3)}},
	{"brk", PROBE_BRK, {.args = ARG(1)}},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const enum probe_kind marker_kinds[MARKERS] = {
	[MARKER_ENTRY] = PROBE_MARKER_ENTRY,
	[MARKER_RETURN] = PROBE_MARKER_RETURN,
	[MARKER_LINE] = PROBE_MARKER_LINE,
};

struct list {
	struct probe_point *points;
	size_t n;
};

static struct probe_point *add_point(struct list *list, const struct probe_point *point)
{
	struct probe_point *more = reallocarray(list->points, list->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	list->points = more;
	more += list->n++;
	*more = *point;
	return more;
}

static int add_function(struct list *list, const struct target_file *file,
			const struct code_bytes *text, const struct probed_function *function,
			bool at_entry)
{
	struct probe_point *point;
	struct elf_symbol symbol;

	elf_file__dynamic_symbols(file->elf, &function->name, 1, &symbol);
	if (!symbol.function)
		return 0;
	point = add_point(list, &(struct probe_point){
					.function = function->name,
					.kind = function->kind,
					.file = file,
					.address = symbol.address,
					.returns = function->spec.returns,
				});
	if (!point)
		return -ENOMEM;
	if (at_entry)
		point->placement.address = point->address;
	else
		placement__find(text, point->address, symbol.size, &function->spec,
				&point->placement);
	return 0;
}

static int add_functions(struct list *list, const struct target_file *file,
			 const struct probed_function *functions, size_t n, bool at_entry)
{
	struct code_bytes text;
	size_t i;
	int err = placement__read_text(file->elf, &text);

	if (err)
		return err;
	for (i = 0; !err && i < n; i++)
		err = add_function(list, file, &text, &functions[i], at_entry);
	free((void *)text.bytes);
	return err;
}

/* code_dealloc() has no symbol where a file is stripped; a hundred bytes are less
 * than it is long, and more than are looked at. */
static int add_code_dealloc(struct list *list, const struct target *target)
{
	static const struct placement_spec spec = {.args = ARG(1)};
	struct probe_point *point = add_point(list, &(struct probe_point){
							    .function = "code_dealloc",
							    .kind = PROBE_CODE_DEALLOC,
							    .file = &target->python,
							    .address = target->code_dealloc,
						    });
	struct code_bytes text;
	int err = point ? placement__read_text(target->python.elf, &text) : -ENOMEM;

	if (err)
		return err;
	placement__find(&text, point->address, 100, &spec, &point->placement);
	free((void *)text.bytes);
	return 0;
}

/* Where the compiler put them, on a nop, which every kernel emulates. */
static int add_markers(struct list *list, const struct target *target)
{
	const struct target_marker *marker;
	struct probe_point *point;
	size_t k;
	int i;

	for (i = 0; i < MARKERS; i++) {
		for (k = 0; k < target->nmarkers[i]; k++) {
			marker = &target->markers[i][k];
			point = add_point(
				list,
				&(struct probe_point){
					.function = marker__name(i),
					.kind = marker_kinds[i],
					.file = &target->python,
					.address = marker->address,
					.placement = {.address = marker->address,
						      .emulated = true,
						      .instruction = "nop",
						      .why = "where the compiler put the marker"},
					.semaphore = marker->semaphore,
					.marker = &marker->site,
				});
			if (!point)
				return -ENOMEM;
		}
	}
	return 0;
}

int probe_points__list(const struct target *target, const struct probe_spec *spec,
		       struct probe_point **points, size_t *n)
{
	struct list list = {0};
	size_t i;
	int err = 0;

	for (i = 0; !err && spec->allocators && i < target->nallocators; i++)
		err = add_functions(&list, &target->allocators[i], allocators, COUNT(allocators),
				    spec->at_entry);
	for (i = 0; !err && spec->mappers && i < target->nallocators; i++)
		err = add_functions(&list, &target->allocators[i], mappers, COUNT(mappers),
				    spec->at_entry);
	if (!err)
		err = target->attribution == ATTRIBUTION_USDT ? add_markers(&list, target)
							      : add_code_dealloc(&list, target);
	if (err) {
		free(list.points);
		return err;
	}
	*points = list.points;
	*n = list.n;
	return 0;
}

int probe_points__explain(const struct target *target, const struct probe_spec *spec, FILE *out)
{
	struct probe_point *points, *point;
	size_t n;
	int err = probe_points__list(target, spec, &points, &n);

	if (err)
		return err;
	fprintf(out, "Process %d (%s), CPython %s, attribution %s\n", target->pid, target->comm,
		target->version, attribution__name(target->attribution));
	fprintf(out, "%-18s %-10s  %-4s %-9s %-9s %-34s %s\n", "Function", "Address", "At",
		"By kernel", "Return", "Instruction", "Why there");
	for (point = points; point < points + n; point++)
		fprintf(out, "%-18s 0x%08" PRIx64 "  +%-3" PRIu64 " %-9s %-9s %-34s %s\n",
			point->function, point->placement.address,
			point->placement.address - point->address,
			point->placement.emulated ? "emulated" : "stepped",
			point->returns ? "uretprobe" : "no", point->placement.instruction,
			point->placement.why);
	free(points);
	return 0;
}
