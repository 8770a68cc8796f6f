// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_id.h"
#include "base/log.h"
#include "probes/probe_points.h"

struct probed_function {
	const char *name;
	enum probe_kind kind;
	struct placement_spec spec;
};

/* The allocator's functions, and what the BPF side reads of their calls. */
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
	{"mmap", PROBE_MMAP, {.args = ARG(2) | ARG(3) | ARG(4) | ARG(5), .returns = true}},
	{"mmap64", PROBE_MMAP, {.args = ARG(2) | ARG(3) | ARG(4) | ARG(5), .returns = true}},
	{"munmap", PROBE_MUNMAP, {.args = ARG(1) | ARG(2), .returns = true}},
	{"mremap", PROBE_MREMAP, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
};

/* Functions by which pages come without a fault, or leave. libc's allocator uses them too. */
static const struct probed_function mappers[] = {
	{"mmap", PROBE_MMAP, {.args = ARG(1) | ARG(2) | ARG(3) | ARG(4), .returns = true}},
	{"mmap64", PROBE_MMAP, {.args = ARG(1) | ARG(2) | ARG(3) | ARG(4), .returns = true}},
	{"munmap", PROBE_MUNMAP, {.args = ARG(1) | ARG(2)}},
	{"mremap", PROBE_MREMAP, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
	{"madvise", PROBE_MADVISE, {.args = ARG(1) | ARG(2) | ARG(3)}},
	{"mlock", PROBE_MLOCK, {.args = ARG(1) | ARG(2), .returns = true}},
	{"mlock2", PROBE_MLOCK2, {.args = ARG(1) | ARG(2) | ARG(3), .returns = true}},
	{"brk", PROBE_BRK, {.args = ARG(1), .returns = true}},
};

/* Of the interpreter: when it begins to take itself apart. */
static const struct probed_function finalizers[] = {
	{"Py_FinalizeEx", PROBE_FINALIZE, {0}},
};

/* Of the interpreter: when a thread begins to run another one. */
static const struct probed_function swappers[] = {
	{"PyThreadState_Swap", PROBE_SWAP, {.args = ARG(1)}},
};

/* Of the dynamic loader. */
static const struct probed_function loaders[] = {
	{"_dl_debug_state", PROBE_LOADED, {0}},
};

/* What the BPF side reads of a private allocator's function. */
static const struct placement_spec spec_of_kind[] = {
	[PROBE_FREE] = {.args = ARG(1), .null_is_idle = true},
	[PROBE_MALLOC] = {.args = ARG(1), .returns = true},
	[PROBE_MEMALIGN] = {.args = ARG(2), .returns = true},
	[PROBE_CALLOC] = {.args = ARG(1) | ARG(2), .returns = true},
	[PROBE_REALLOC] = {.args = ARG(1) | ARG(2), .returns = true},
	[PROBE_REALLOCARRAY] = {.args = ARG(1) | ARG(2) | ARG(3), .returns = true},
	[PROBE_POSIX_MEMALIGN] = {.args = ARG(1) | ARG(3), .returns = true},
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

/* 0 or -ENOMEM. */
static int add_point(struct list *list, const struct probe_point *point)
{
	struct probe_point *more = reallocarray(list->points, list->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	list->points = more;
	more[list->n++] = *point;
	return 0;
}

/* A function's place in a file, the same for all processes that map it. */
struct known_place {
	struct file_id file;
	const char *function;
	uint64_t address; /* of the function; 0: the file has none */
	struct placement placement;
};

/* Places in about a hundred files; beyond that, all are found anew. */
#define MOST_PLACES 4096

/* The same for a file with pymalloc in it. */
struct known_pymalloc {
	struct file_id file;
	struct pymalloc_site *sites;
	size_t n;
};

/* Different interpreters; further ones replace the last and are found anew. */
#define MOST_PYMALLOCS 64

struct known_places {
	struct known_place *all;
	size_t n;
	struct known_pymalloc pymallocs[MOST_PYMALLOCS];
	size_t npymallocs;
};

struct known_places *known_places__new(void)
{
	return calloc(1, sizeof(struct known_places));
}

void known_places__free(struct known_places *known)
{
	size_t i;

	if (!known)
		return;
	for (i = 0; i < known->npymallocs; i++)
		free(known->pymallocs[i].sites);
	free(known->all);
	free(known);
}

static const struct known_place *find_place(const struct known_places *known,
					    const struct file_id *file, const char *function)
{
	size_t i;

	for (i = 0; i < known->n; i++) {
		if (known->all[i].function == function &&
		    file_id__equals(&known->all[i].file, file))
			return &known->all[i];
	}
	return NULL;
}

/* The same for one of several functions of that name in the file. */
static const struct known_place *find_place_at(const struct known_places *known,
					       const struct file_id *file, const char *function,
					       uint64_t address)
{
	size_t i;

	for (i = 0; i < known->n; i++) {
		if (known->all[i].function == function && known->all[i].address == address &&
		    file_id__equals(&known->all[i].file, file))
			return &known->all[i];
	}
	return NULL;
}

/* NULL if memory is short. */
static const struct known_place *add_place(struct known_places *known,
					   const struct known_place *place)
{
	struct known_place *more = reallocarray(known->all, known->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	known->all = more;
	more[known->n] = *place;
	return &more[known->n++];
}

/* A file's code, read when it is first needed. */
struct lazy_text {
	const struct elf_file *elf;
	struct code_bytes text;
	bool is_read;
};

static int read_text(struct lazy_text *lazy)
{
	int err = lazy->is_read ? 0 : placement__read_text(lazy->elf, &lazy->text);

	lazy->is_read |= !err;
	return err;
}

static void free_text(struct lazy_text *lazy)
{
	if (lazy->is_read)
		free((void *)lazy->text.bytes);
}

/* Finds where to probe that function of the file. 0 or -errno. */
static int place_function(struct known_places *known, struct elf_file *elf, struct lazy_text *lazy,
			  const struct probed_function *function, bool at_entry,
			  const struct known_place **result)
{
	struct known_place place = {.function = function->name};
	struct elf_symbol symbol;
	int err = file_id__of(elf_file__fd(elf), &place.file);

	if (err)
		return err;
	*result = find_place(known, &place.file, function->name);
	if (*result)
		return 0;
	elf_file__dynamic_symbols(elf, &function->name, 1, &symbol);
	if (symbol.function) {
		place.address = place.placement.address = symbol.address;
		err = at_entry ? 0 : read_text(lazy);
		if (err)
			return err;
		if (!at_entry)
			placement__find(&lazy->text, symbol.address, symbol.size, &function->spec,
					&place.placement);
	}
	*result = add_place(known, &place);
	return *result ? 0 : -ENOMEM;
}

static int add_functions(struct list *list, struct known_places *known,
			 const struct target_file *file, const struct probed_function *functions,
			 size_t n, bool at_entry)
{
	struct lazy_text lazy = {.elf = file->elf};
	const struct known_place *place;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		err = place_function(known, file->elf, &lazy, &functions[i], at_entry, &place);
		if (err || !place->address)
			continue;
		err = add_point(list, &(struct probe_point){
					      .function = functions[i].name,
					      .kind = functions[i].kind,
					      .file = file,
					      .address = place->address,
					      .placement = place->placement,
					      .returns = functions[i].spec.returns,
				      });
	}
	free_text(&lazy);
	return err;
}

/* Finds where to probe a private allocator's function. 0 or -errno. */
static int place_private(struct known_places *known, const struct target_file *file,
			 struct lazy_text *lazy, const struct private_function *function,
			 bool at_entry, const struct known_place **result)
{
	struct known_place place = {
		.function = function->name,
		.address = function->address,
		.placement = {.address = function->address},
	};
	int err = file_id__of(elf_file__fd(file->elf), &place.file);

	if (err)
		return err;
	*result = find_place_at(known, &place.file, function->name, function->address);
	if (*result)
		return 0;
	err = at_entry ? 0 : read_text(lazy);
	if (err)
		return err;
	if (!at_entry)
		placement__find(&lazy->text, function->address, function->size,
				&spec_of_kind[function->kind], &place.placement);
	*result = add_place(known, &place);
	return *result ? 0 : -ENOMEM;
}

static int add_private(struct list *list, struct known_places *known,
		       const struct target_private *private, bool at_entry)
{
	struct lazy_text lazy = {.elf = private->file.elf};
	const struct private_function *function;
	const struct known_place *place;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < private->n; i++) {
		function = &private->functions[i];
		err = place_private(known, &private->file, &lazy, function, at_entry, &place);
		if (!err)
			err = add_point(list,
					&(struct probe_point){
						.function = function->name,
						.kind = function->kind,
						.file = &private->file,
						.address = function->address,
						.placement = place->placement,
						.returns = spec_of_kind[function->kind].returns,
					});
	}
	free_text(&lazy);
	return err;
}

/* code_dealloc() has no symbol in a stripped file, so its size is unknown. A hundred bytes are less
 * than that, and more than we look at. */
static int add_code_dealloc(struct list *list, struct known_places *known,
			    const struct target *target)
{
	static const struct placement_spec spec = {.args = ARG(1)};
	static const char name[] = "code_dealloc";
	struct known_place place = {.function = name, .address = target->code_dealloc};
	struct lazy_text lazy = {.elf = target->python.elf};
	const struct known_place *found;
	int err = file_id__of(elf_file__fd(target->python.elf), &place.file);

	if (err)
		return err;
	found = find_place(known, &place.file, name);
	/* If the process has it at another address than others, do not remember it. */
	if (!found || found->address != place.address) {
		err = read_text(&lazy);
		if (!err)
			placement__find(&lazy.text, place.address, 100, &spec, &place.placement);
		free_text(&lazy);
		if (err)
			return err;
		found = found ? &place : add_place(known, &place);
	}
	if (!found)
		return -ENOMEM;
	return add_point(list, &(struct probe_point){
				       .function = name,
				       .kind = PROBE_CODE_DEALLOC,
				       .file = &target->python,
				       .address = target->code_dealloc,
				       .placement = found->placement,
			       });
}

/* Markers are where the compiler put them, on a nop, which every kernel emulates. */
static int add_markers(struct list *list, const struct target *target)
{
	const struct target_marker *marker;
	size_t k;
	int i, err = 0;

	for (i = 0; i < MARKERS; i++) {
		for (k = 0; !err && k < target->nmarkers[i]; k++) {
			marker = &target->markers[i][k];
			err = add_point(
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
		}
	}
	return err;
}

/* Without a place of either kind, what it hands out there is seen by nobody. */
static void check_sites(const struct target *target, const struct known_pymalloc *pymalloc)
{
	size_t i, takes = 0, opens = 0;

	for (i = 0; i < pymalloc->n; i++) {
		takes += pymalloc->sites[i].step == PYMALLOC_TAKES;
		opens += pymalloc->sites[i].step == PYMALLOC_OPENS ||
			 pymalloc->sites[i].step == PYMALLOC_OPENS_NEW;
	}
	if (!takes || !opens)
		log_error("process %d: this build of CPython %s does not hand out small objects in "
			  "a way that is known, as without pymalloc (free-threaded builds); they "
			  "stay unattributed, and --mode rss shows their pages",
			  target->pid, target->version);
}

/* Finds the sites in the file with this pymalloc. 0 or -errno. */
static int find_pymalloc(struct known_places *known, const struct target *target,
			 const struct known_pymalloc **result)
{
	struct elf_file *elf = target->python.elf;
	struct lazy_text lazy = {.elf = elf};
	struct known_pymalloc found = {0};
	size_t i;
	int err = file_id__of(elf_file__fd(elf), &found.file);

	for (i = 0; !err && i < known->npymallocs; i++) {
		*result = &known->pymallocs[i];
		if (file_id__equals(&(*result)->file, &found.file))
			return 0;
	}
	if (!err)
		err = read_text(&lazy);
	if (!err)
		err = pymalloc__find_sites(&native_architecture, &lazy.text, &found.sites,
					   &found.n);
	free_text(&lazy);
	if (err)
		return err;
	if (known->npymallocs == MOST_PYMALLOCS)
		free(known->pymallocs[--known->npymallocs].sites);
	check_sites(target, &found);
	known->pymallocs[known->npymallocs] = found;
	*result = &known->pymallocs[known->npymallocs++];
	return 0;
}

/* The kernel emulates the branches. */
static int add_pymalloc(struct list *list, struct known_places *known, const struct target *target)
{
	const struct known_pymalloc *pymalloc;
	size_t i;
	int err = find_pymalloc(known, target, &pymalloc);

	for (i = 0; !err && i < pymalloc->n; i++) {
		err = add_point(list, &(struct probe_point){
					      .function = "pymalloc",
					      .kind = PROBE_POOL,
					      .file = &target->python,
					      .address = pymalloc->sites[i].address,
					      .placement = {.address = pymalloc->sites[i].address,
							    .emulated = true,
							    .instruction = "jcc",
							    .why = "where a slot is handed out"},
					      .pymalloc = pymalloc->sites[i],
				      });
	}
	return err;
}

int probe_points__list(const struct target *target, const struct probe_spec *spec,
		       struct known_places *known, struct probe_point **points, size_t *n)
{
	struct list list = {0};
	size_t i;
	int err = 0;

	if (known->n > MOST_PLACES)
		known->n = 0;
	for (i = 0; !err && spec->allocators && i < target->nallocators; i++)
		err = add_functions(&list, known, &target->allocators[i], allocators,
				    COUNT(allocators), spec->at_entry);
	for (i = 0; !err && spec->mappers && i < target->nallocators; i++)
		err = add_functions(&list, known, &target->allocators[i], mappers, COUNT(mappers),
				    spec->at_entry);
	if (!err && (spec->allocators || spec->mappers))
		err = add_functions(&list, known, &target->python, finalizers, COUNT(finalizers),
				    spec->at_entry);
	if (!err && spec->pools)
		err = add_pymalloc(&list, known, target);
	if (!err && target->attribution == ATTRIBUTION_FRAMES)
		err = add_functions(&list, known, &target->python, swappers, COUNT(swappers),
				    spec->at_entry);
	if (!err)
		err = target->attribution == ATTRIBUTION_USDT
			      ? add_markers(&list, target)
			      : add_code_dealloc(&list, known, target);
	if (!err && spec->privates && target->loader.elf)
		err = add_functions(&list, known, &target->loader, loaders, COUNT(loaders),
				    spec->at_entry);
	/* The last ones, as more can come. */
	for (i = 0; !err && spec->privates && i < target->nprivates; i++)
		err = add_private(&list, known, &target->privates[i], spec->at_entry);
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
	struct known_places *known = known_places__new();
	struct probe_point *points, *point;
	size_t n;
	int err = known ? probe_points__list(target, spec, known, &points, &n) : -ENOMEM;

	known_places__free(known);
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
