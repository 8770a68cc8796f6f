// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/utf8.h"
#include "render/objects.h"
#include "render/type_rows.h"

static void print_types(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct census *census = inspected->now;
	const struct census_type *type;
	struct census_type growth = {0};
	size_t i;

	type_rows__put_titles(inspected->first, out);
	for (i = 0; i < census->ntypes && i < top; i++) {
		type = &census->types[i];
		if (inspected->first)
			growth = inspected__growth(inspected, type);
		type_rows__put_row(&(struct type_row){type->name, type->defined.file,
						      type->defined.line, type->count, type->bytes,
						      growth.count, growth.bytes},
				   inspected->first, out);
	}
	type_rows__put_rest(i, census->ntypes, out);
}

/* A holder that is shown, and in which other one. */
struct row {
	const struct holder *holder;
	const struct row *above; /* NULL: none */
	int64_t weight;		 /* what it retains; in two looks, what it has gained */
};

#define MOST_ROWS 4096

/* What malloc_trim() would give back is worth a word from there on. */
#define LEAST_TRIMMABLE (1 << 20)

/* Rows in a row, and of those again. */
#define MOST_DEPTH 2
#define INNER_ROWS 4

struct rows {
	const struct inspected *inspected;
	int64_t least; /* weight of a row */
	struct row of[MOST_ROWS];
	size_t n;
};

static int64_t weight_of(const struct rows *rows, const struct holder *holder)
{
	return rows->inspected->first ? inspected__holder_growth(rows->inspected, holder)
				      : (int64_t)holder->retained_bytes;
}

static void choose(struct rows *rows, const struct holder *holder, const struct row *above,
		   unsigned int depth);

static void choose_inner(struct rows *rows, const struct holder *holder, const struct row *above,
			 unsigned int depth)
{
	size_t i;

	for (i = 0; i < holder->nholders; i++) {
		if (weight_of(rows, &holder->holders[i]) >= rows->least)
			choose(rows, &holder->holders[i], above, depth);
	}
}

/* A module, and a holder of which one inner holder is nearly all, are not shown, but what they
 * hold; not so where it is many objects, of which each holds some. */
static void choose(struct rows *rows, const struct holder *holder, const struct row *above,
		   unsigned int depth)
{
	int64_t weight = weight_of(rows, holder), most = 0, inner;
	struct row *row;
	size_t i;

	for (i = 0; i < holder->nholders; i++) {
		inner = weight_of(rows, &holder->holders[i]);
		most = inner > most ? inner : most;
	}
	if ((most >= weight / 10 * 8 && (holder->count == 1 || above)) ||
	    !strcmp(holder->type, "module")) {
		choose_inner(rows, holder, above, depth);
	} else if (rows->n < MOST_ROWS) {
		row = &rows->of[rows->n++];
		*row = (struct row){holder, above, weight};
		if (depth < MOST_DEPTH)
			choose_inner(rows, holder, row, depth + 1);
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	if ((*x)->weight != (*y)->weight)
		return (*x)->weight > (*y)->weight ? -1 : 1;
	return strcmp((*x)->holder->path, (*y)->holder->path);
}

static void print_row(FILE *out, const struct rows *rows, const struct row *row, unsigned int depth)
{
	const struct holder *holder = row->holder;
	const char *path = holder__path_in(holder, row->above ? row->above->holder : NULL);

	fprintf(out, "  %12s", format_bytes(holder->retained_bytes).s);
	if (rows->inspected->first)
		fprintf(out, " %12s", format_change(row->weight).s);
	fprintf(out, " %12s  %*s", format_count(holder->count).s, 2 * (int)depth, "");
	fprintf(out, "%s%s%s\n", path, *path && *holder->type ? "  " : "", holder->type);
}

static void print_rows(FILE *out, const struct rows *rows, const struct row *above,
		       unsigned int depth, size_t top)
{
	const struct row **inner = calloc(rows->n + 1, sizeof(*inner));
	size_t i, n = 0;

	for (i = 0; inner && i < rows->n; i++) {
		if (rows->of[i].above == above)
			inner[n++] = &rows->of[i];
	}
	if (n)
		qsort(inner, n, sizeof(*inner), compare_rows);
	for (i = 0; i < n && i < top; i++) {
		print_row(out, rows, inner[i], depth);
		print_rows(out, rows, inner[i], depth + 1, INNER_ROWS);
	}
	free(inner);
}

static void print_holders(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct holder *all = inspected->now->holders;
	struct rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return;
	rows->inspected = inspected;
	rows->least = all->retained_bytes;
	if (inspected->first && inspected->first->holders)
		rows->least -= inspected->first->holders->retained_bytes;
	rows->least = rows->least > 0 ? rows->least / 200 : 0;
	rows->least = rows->least > 1024 ? rows->least : 1024;
	choose_inner(rows, all, NULL, 0);
	fprintf(out, "  %12s", "keep alive");
	if (inspected->first)
		fprintf(out, " %12s", "change");
	fprintf(out, " %12s  holders\n", "objects");
	print_rows(out, rows, NULL, 0, top);
	if (!rows->n)
		fprintf(out, "  none of them %s 1 KiB\n",
			inspected->first ? "has gained" : "holds");
	fputc('\n', out);
	free(rows);
}

static const struct instances_path *find_path(const struct instances *instances, const char *path)
{
	size_t i;

	for (i = 0; instances && i < instances->npaths; i++) {
		if (!strcmp(instances->paths[i].path, path))
			return &instances->paths[i];
	}
	return NULL;
}

/* before: how many there were at the first look, NULL if there was none. */
static void print_instances_row(FILE *out, const struct instances_path *row, const uint64_t *before,
				const char *what)
{
	fprintf(out, "  %12s", format_count(row->count).s);
	if (before)
		fprintf(out, " %12s", format_count_change(row->count - *before).s);
	fprintf(out, " %12s %12s  %s\n", format_bytes(row->bytes).s,
		format_bytes(row->retained_bytes).s, what);
}

static void print_samples(FILE *out, const struct instances *instances)
{
	size_t i;

	fprintf(out, "\n  %s of them:\n", format_count(instances->nsamples).s);
	for (i = 0; i < instances->nsamples; i++)
		fprintf(out, "    %s\n", instances->samples[i]);
}

static void print_instances(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct instances *now = inspected->now->instances;
	const struct instances *first = inspected->first ? inspected->first->instances : NULL;
	const struct instances_path all = {NULL, now->count, now->bytes, now->retained_bytes};
	const struct instances_path unreached = {.count = now->unreached}, *known;
	uint64_t before;
	size_t i;

	if (!now->count) {
		fprintf(out, "  no object of a type %s was found\n\n", now->type);
		return;
	}
	fprintf(out, "  %12s", "objects");
	if (first)
		fprintf(out, " %12s", "change");
	fprintf(out, " %12s %12s  %s, reached as\n", "bytes", "keep alive", now->type);
	for (i = 0; i < now->npaths && i < top; i++) {
		known = find_path(first, now->paths[i].path);
		before = known ? known->count : 0;
		print_instances_row(out, &now->paths[i], first ? &before : NULL,
				    now->paths[i].path);
	}
	if (i < now->npaths)
		fprintf(out, "  and on %s more paths: --top %zu shows them\n",
			format_count(now->npaths - i).s, now->npaths);
	if (now->unreached)
		print_instances_row(out, &unreached, first ? &first->unreached : NULL,
				    "by nothing that was found");
	print_instances_row(out, &all, first ? &first->count : NULL, "in all");
	print_samples(out, now);
	fputc('\n', out);
}

static void print_part(FILE *out, uint64_t bytes, const uint64_t *before, uint64_t used,
		       uint64_t unused, const char *what)
{
	fprintf(out, "  %12s", format_bytes(bytes).s);
	if (before)
		fprintf(out, " %12s", format_change(bytes - *before).s);
	if (used + unused)
		fprintf(out, " %12s %12s", format_bytes(used).s, format_bytes(unused).s);
	else
		fprintf(out, " %12s %12s", "", "");
	fprintf(out, "  %s\n", what);
}

/* What is free in the allocators is resident, but nobody's. */
static void print_residence(FILE *out, const struct inspected *inspected)
{
	const struct residence *now = &inspected->now->residence;
	const struct residence *first = inspected->first ? &inspected->first->residence : NULL;
	const struct malloc_heaps *malloc = &now->malloc;
	const uint64_t others = residence__others(now);
	const uint64_t others_before = first ? residence__others(first) : 0;
	uint64_t pools_free = now->pools > now->pools_used ? now->pools - now->pools_used : 0;
	char heaps[160];

	/* Saved by a version that did not look. */
	if (!now->anonymous)
		return;
	snprintf(heaps, sizeof(heaps), "malloc's heaps: %s free blocks, the largest %s",
		 format_count(malloc->free_blocks).s, format_bytes(malloc->largest_free).s);
	fprintf(out, "  %12s", inspected->is_core ? "dumped" : "resident");
	if (first)
		fprintf(out, " %12s", "change");
	fprintf(out, " %12s %12s  of which\n", "in use", "free");
	print_part(out, now->pools, first ? &first->pools : NULL, now->pools - pools_free,
		   pools_free, "pools of small objects");
	print_part(out, malloc->resident, first ? &first->malloc.resident : NULL,
		   malloc->resident - malloc->free, malloc->free, heaps);
	print_part(out, others, first ? &others_before : NULL, 0, 0,
		   "anonymous memory besides: large blocks, stacks, static data, other allocators");
	if (now->shared)
		print_part(out, now->shared, first ? &first->shared : NULL, 0, 0, "shared memory");
	if (now->files)
		print_part(out, now->files, first ? &first->files : NULL, 0, 0, "mapped files");
	if (malloc->unclear)
		fprintf(out, "  %zu heaps of malloc are not clear; what is in them is besides\n",
			malloc->unclear);
	if (malloc->trimmable >= LEAST_TRIMMABLE)
		fprintf(out, "  malloc_trim(0) in the process would give back %s\n",
			format_bytes(malloc->trimmable).s);
	fputc('\n', out);
}

static void print_process(FILE *out, const struct inspected *inspected, size_t top)
{
	const struct census *census = inspected->now;
	char *cmdline =
		utf8_from_str((const uint8_t *)inspected->cmdline, strlen(inspected->cmdline), 0);

	fprintf(out, "%s %d: %s\n", inspected->is_core ? "Core of process" : "Process",
		inspected->pid, cmdline ? cmdline : "?");
	free(cmdline);
	fprintf(out, "  CPython %s; %s objects take %s of %s %s", inspected->version,
		format_count(census->count).s, format_bytes(census->bytes).s,
		format_bytes(inspected->rss).s, inspected->is_core ? "dumped" : "resident");
	if (inspected->rss > census->bytes)
		fprintf(out, ", %s is no object", format_bytes(inspected->rss - census->bytes).s);
	if (inspected->seconds > 0)
		fprintf(out, "; read in %.1f s", inspected->seconds);
	fputc('\n', out);
	if (inspected->missing)
		fprintf(out, "  The core file is cut off: %s are missing, and with them objects\n",
			format_bytes(inspected->missing).s);
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
	print_residence(out, inspected);
	if (census->instances) {
		print_instances(out, inspected, top);
		return;
	}
	print_types(out, inspected, top);
	fputc('\n', out);
	if (census->holders)
		print_holders(out, inspected, top);
}

static int render(const struct inspected *all, size_t n, size_t top, FILE *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (all[i].now)
			print_process(out, &all[i], top);
	}
	return 0;
}

const struct objects_renderer objects_report_renderer = {
	.name = "report",
	.render = render,
};
