// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/procfs.h"
#include "target/arch.h"
#include "target/core_file.h"
#include "target/loaded.h"
#include "target/mapped_files.h"
#include "target/target.h"

/* How often, and at which interval, to look again for what a starting process has not mapped yet:
 * for a second. */
#define START_TRIES   20
#define START_WAIT_US 50000

/* Looks at memory that does not fit yet, 20 ms apart: a busy machine may hold it up meanwhile. */
#define LAYOUT_TRIES 15

/* Symbols looked for in every mapped file. */
enum {
	SYMBOL_RUNTIME,
	SYMBOL_VERSION,
	SYMBOL_SINCE_3_8,
	SYMBOL_SINCE_3_9,
	SYMBOL_SINCE_3_10,
	SYMBOL_CODE_TYPE,
	SYMBOL_MALLOC,
	SYMBOL_FREE,
	SYMBOL_THREAD_SIZE,
	SYMBOLS,
};

static const char *const symbol_names[SYMBOLS] = {
	[SYMBOL_RUNTIME] = "_PyRuntime", /* since 3.7 */
	[SYMBOL_VERSION] = "Py_Version", /* since 3.11 */
	[SYMBOL_SINCE_3_8] = "PyCode_NewWithPosOnlyArgs",
	[SYMBOL_SINCE_3_9] = "PyThreadState_GetFrame",
	[SYMBOL_SINCE_3_10] = "Py_NewRef",
	[SYMBOL_CODE_TYPE] = "PyCode_Type",
	[SYMBOL_MALLOC] = "malloc",
	[SYMBOL_FREE] = "free",
	[SYMBOL_THREAD_SIZE] = "_thread_db_sizeof_pthread", /* glibc, for debuggers */
};

static const char *const marker_names[MARKERS] = {
	[MARKER_ENTRY] = "function__entry",
	[MARKER_RETURN] = "function__return",
	[MARKER_LINE] = "line",
};

const char *marker__name(enum marker_type type)
{
	return marker_names[type];
}

static const char *const attributions[] = {
	"auto",
	[ATTRIBUTION_FRAMES] = "frames",
	[ATTRIBUTION_USDT] = "usdt",
};

const char *attribution__name(size_t attribution)
{
	return attribution < sizeof(attributions) / sizeof(attributions[0])
		       ? attributions[attribution]
		       : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Any file may export malloc; but the dynamic loader's is only for its own start. */
static bool is_allocator(const char *path, const struct elf_symbol *symbols)
{
	if (!strncmp(base_name(path), "ld-linux", 8) || !strncmp(base_name(path), "ld-2.", 5))
		return false;
	return symbols[SYMBOL_MALLOC].function && symbols[SYMBOL_FREE].function;
}

static int add_allocator(struct target *target, const struct mapped_file *file)
{
	struct target_file *more =
		reallocarray(target->allocators, target->nallocators + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	target->allocators = more;
	more[target->nallocators++] = (struct target_file){elf_file__ref(file->elf), file->bias};
	return 0;
}

/* Takes the version from the file's constant; before 3.11 there is none, only functions that came
 * with each version. The file's name says little: programs embed Python. */
static void find_version(struct target *target, const struct elf_symbol *symbols,
			 unsigned int *major, unsigned int *minor)
{
	uint64_t hex;

	*major = 3;
	if (symbols[SYMBOL_VERSION].address &&
	    elf_file__read(target->python.elf, symbols[SYMBOL_VERSION].address, &hex,
			   sizeof(hex)) == sizeof(hex)) {
		*major = hex >> 24 & 0xff;
		*minor = hex >> 16 & 0xff;
		snprintf(target->version, sizeof(target->version), "%u.%u.%u", *major, *minor,
			 (unsigned int)(hex >> 8 & 0xff));
		return;
	}
	*minor = symbols[SYMBOL_SINCE_3_10].address  ? 10
		 : symbols[SYMBOL_SINCE_3_9].address ? 9
		 : symbols[SYMBOL_SINCE_3_8].address ? 8
						     : 7;
	snprintf(target->version, sizeof(target->version), "%u.%u", *major, *minor);
}

static void find_layout(struct target *target, unsigned int major, unsigned int minor)
{
	uint64_t description[DESCRIPTION_SLOTS];

	if (major == 3 && minor < FIRST_DESCRIBED)
		target->has_layout = layout__of_version(major, minor, &target->layout);
	else if (!address_space__read(target->space, target->runtime, description,
				      sizeof(description)))
		target->has_layout =
			layout__of_description(major, minor, description, &target->layout);
}

static int found_marker(const struct elf_marker *marker, void *context)
{
	struct target *target = context;
	struct target_marker *place;
	struct marker_arg args[3];
	int i;

	if (strcmp(marker->provider, "python"))
		return 0;
	for (i = 0; i < MARKERS; i++) {
		if (strcmp(marker->name, marker_names[i]))
			continue;
		if (target->nmarkers[i] == MARKER_PLACES ||
		    !usdt_args__parse(marker->args, args, 3))
			return -EINVAL;
		place = &target->markers[i][target->nmarkers[i]];
		if (marker->semaphore &&
		    !elf_file__data_offset(target->python.elf, marker->semaphore,
					   &place->semaphore))
			return -EINVAL;
		place->address = marker->address;
		place->site.file = args[0];
		place->site.function = args[1];
		place->site.line = args[2];
		target->nmarkers[i]++;
	}
	return 0;
}

static bool has_markers(const struct target *target)
{
	return target->nmarkers[MARKER_ENTRY] && target->nmarkers[MARKER_RETURN] &&
	       target->nmarkers[MARKER_LINE];
}

/* Finds where code objects are freed: PyCode_Type's tp_dealloc, read from the process. */
static void find_code_dealloc(struct target *target)
{
	uint64_t function, offset;

	if (!target->code_type || !target->has_layout ||
	    address_space__read(target->space, target->code_type + target->layout.type_dealloc,
				&function, sizeof(function)))
		return;
	function -= target->python.bias;
	if (elf_file__code_offset(target->python.elf, function, &offset))
		target->code_dealloc = function;
}

static void found_python(struct target *target, const struct elf_symbol *symbols)
{
	unsigned int major, minor;

	target->runtime = target->python.bias + symbols[SYMBOL_RUNTIME].address;
	find_version(target, symbols, &major, &minor);
	/* POOL_BITS, pycore_obmalloc.h: 14 with a radix tree (3.10 and later), else a page. */
	target->pool_size = major == 3 && minor < 10 ? 4096 : 16384;
	find_layout(target, major, minor);
	find_code_dealloc(target);
	if (elf_file__markers(target->python.elf, found_marker, target))
		memset(target->nmarkers, 0, sizeof(target->nmarkers));
}

static int look_at_file(void *context, const struct mapped_file *file)
{
	struct target *target = context;
	struct elf_symbol symbols[SYMBOLS];

	elf_file__dynamic_symbols(file->elf, symbol_names, SYMBOLS, symbols);
	/* A program that refers to it has a copy (R_*_COPY), which everybody then uses; the program
	 * is mapped before its libraries. */
	if (!target->code_type && symbols[SYMBOL_CODE_TYPE].address)
		target->code_type = file->bias + symbols[SYMBOL_CODE_TYPE].address;
	if (!SELF_IS_THREAD_POINTER && symbols[SYMBOL_THREAD_SIZE].address)
		elf_file__read(file->elf, symbols[SYMBOL_THREAD_SIZE].address, &target->thread_size,
			       sizeof(target->thread_size));
	/* A static program can be both. */
	if (!target->python.elf && symbols[SYMBOL_RUNTIME].address) {
		target->python.elf = elf_file__ref(file->elf);
		target->python.bias = file->bias;
		found_python(target, symbols);
	}
	return is_allocator(file->path, symbols) ? add_allocator(target, file) : 0;
}

static int look_at_maps(struct target *target, struct images *images)
{
	return mapped_files__visit(target->space, images, look_at_file, target);
}

bool target__is_python(pid_t pid, struct images *images, bool with_libc)
{
	struct target *target = calloc(1, sizeof(*target));
	bool is_python = false;

	if (target) {
		target->pid = pid;
		target->space = address_space__of_process(pid);
		is_python = !look_at_maps(target, images) && target->python.elf &&
			    (target->nallocators || !with_libc);
	}
	target__free(target);
	return is_python;
}

pid_t *target__list(size_t *n, struct images *images)
{
	size_t nprocesses, i;
	pid_t *pids = proc_processes(&nprocesses);

	*n = 0;
	for (i = 0; pids && i < nprocesses; i++) {
		if (target__is_python(pids[i], images, false))
			pids[(*n)++] = pids[i];
	}
	return pids;
}

/*
 * Whether the memory matches the layout: the main interpreter's first thread state points back at
 * it. A modified CPython may differ from its version.
 */
static bool layout_fits_now(const struct target *target)
{
	const struct py_layout *l = &target->layout;
	uint64_t interp, tstate, back;

	if (address_space__read(target->space, target->runtime + l->runtime_interpreters_main,
				&interp, sizeof(interp)))
		return false;
	if (target->before_main || !interp)
		return true; /* not initialised yet */
	if (address_space__read(target->space, interp + l->interp_threads_head, &tstate,
				sizeof(tstate)))
		return false;
	/* There is none while it starts or ends. */
	return !tstate || (!address_space__read(target->space, tstate + l->tstate_interp, &back,
						sizeof(back)) &&
			   back == interp);
}

/* An interpreter that just starts, or ends, may change its memory between our reads. */
static bool layout_fits(const struct target *target)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	bool fits = layout_fits_now(target);
	int i;

	for (i = 0; !fits && i < LAYOUT_TRIES; i++) {
		nanosleep(&pause, NULL);
		fits = layout_fits_now(target);
	}
	return fits;
}

static void say_no_lines(const struct target *target)
{
	log_error(
		"process %d runs CPython %s without line markers: CPython has them up to 3.11, if built "
		"--with-dtrace, as Debian builds it; use --mode lines without --markers",
		target->pid, target->version);
}

/* Whether its threads can be told by their thread pointers. */
static bool knows_threads(const struct target *target)
{
	return SELF_IS_THREAD_POINTER || target->thread_size;
}

static int choose_attribution(struct target *target, const struct target_spec *spec)
{
	enum attribution wanted = spec->lines ? ATTRIBUTION_USDT : spec->attribution;
	bool frames = target->has_layout && target->code_dealloc && layout_fits(target) &&
		      knows_threads(target);

	if (wanted != ATTRIBUTION_USDT && frames) {
		target->attribution = ATTRIBUTION_FRAMES;
		return 0;
	}
	if (wanted != ATTRIBUTION_FRAMES && has_markers(target)) {
		target->attribution = ATTRIBUTION_USDT;
		return 0;
	}
	if (spec->lines)
		say_no_lines(target);
	else if (wanted == ATTRIBUTION_USDT)
		log_error("process %d runs CPython %s without the USDT markers function__entry, "
			  "function__return and line; use --attribution frames",
			  target->pid, target->version);
	else if (target->has_layout && !knows_threads(target))
		log_error(
			"process %d: its libc does not say how large struct pthread is, which finding "
			"frames takes on this architecture%s",
			target->pid, has_markers(target) ? "; use --attribution usdt" : "");
	else if (target->has_layout)
		log_error("process %d runs CPython %s, but its memory is not laid out like that "
			  "version's; is it a modified build?%s",
			  target->pid, target->version,
			  has_markers(target) ? " Try --attribution usdt" : "");
	else
		log_error(
			"process %d runs CPython %s, whose frames pymemtop does not know: it knows "
			"3.8 to 3.15, and later ones that describe themselves the same way, but not "
			"free-threaded builds from 3.14 on%s",
			target->pid, target->version,
			has_markers(target) ? "; use --attribution usdt"
					    : "; and it has no USDT "
					      "markers function__entry, function__return and line");
	return -ENOTSUP;
}

/* Forgets what the maps showed. */
static void forget_files(struct target *target)
{
	size_t i;

	for (i = 0; i < target->nallocators; i++)
		elf_file__free(target->allocators[i].elf);
	free(target->allocators);
	for (i = 0; i < target->nprivates; i++) {
		elf_file__free(target->privates[i].file.elf);
		free(target->privates[i].functions);
	}
	free(target->privates);
	elf_file__free(target->loader.elf);
	elf_file__free(target->python.elf);
	target->allocators = NULL;
	target->nallocators = 0;
	target->privates = NULL;
	target->nprivates = 0;
	target->loader.elf = NULL;
	target->python.elf = NULL;
	target->code_type = target->code_dealloc = 0;
	memset(target->nmarkers, 0, sizeof(target->nmarkers));
}

/* A process that is just starting has its program mapped before its libc. */
static int look_at_starting_process(struct target *target, struct images *images)
{
	int err, i;

	for (i = 0;; i++) {
		err = look_at_maps(target, images);
		if (err || !target->python.elf || target->nallocators || i == START_TRIES)
			return err;
		forget_files(target);
		usleep(START_WAIT_US);
	}
}

static int look_at_process(struct target *target, const struct target_spec *spec)
{
	int err;

	if (!proc_exists(target->pid)) {
		log_error("there is no process %d; `pgrep -af python` lists those that run Python",
			  target->pid);
		return -ESRCH;
	}
	proc_comm(target->pid, target->comm, sizeof(target->comm));
	proc_cmdline(target->pid, target->cmdline, sizeof(target->cmdline));
	err = look_at_starting_process(target, spec->images);
	if (err) {
		log_error("process %d cannot be examined: %s", target->pid, strerror(-err));
		return err;
	}
	if (!target->python.elf) {
		log_error("process %d (%s) is not CPython 3.7 or later: none of its files exports "
			  "_PyRuntime",
			  target->pid, target->comm);
		return -ENOEXEC;
	}
	if (!target->nallocators) {
		log_error(
			"process %d (%s) maps no libc with malloc() and free(); is it a static program?",
			target->pid, target->comm);
		return -ENOTSUP;
	}
	err = choose_attribution(target, spec);
	if (!err && spec->privates)
		err = loaded__look(target, target->pid, spec->images);
	return err < 0 ? err : 0;
}

/* What is needed to inspect it: it is not attached to. */
static int look_at_core(struct target *target, const struct target_spec *spec)
{
	int err;

	snprintf(target->comm, sizeof(target->comm), "%s", core_file__comm(spec->core));
	snprintf(target->cmdline, sizeof(target->cmdline), "%s", core_file__cmdline(spec->core));
	err = look_at_maps(target, spec->images);
	if (err) {
		log_error("the core file cannot be examined: %s", strerror(-err));
		return err;
	}
	if (!target->python.elf) {
		core_file__say_why_no_python(spec->core);
		return -ENOEXEC;
	}
	if (target->has_layout && !layout_fits_now(target)) {
		log_error(
			"the core file is of CPython %s, but its memory is not laid out like that "
			"version's, or not all of it is there",
			target->version);
		return -ENOTSUP;
	}
	return 0;
}

int target__new(pid_t pid, const struct target_spec *spec, struct target **result)
{
	struct target *target = calloc(1, sizeof(*target));
	int err;

	if (!target)
		return -ENOMEM;
	target->pid = spec->core ? core_file__pid(spec->core) : pid;
	target->space = (struct address_space){target->pid, spec->core};
	target->before_main = spec->before_main;
	err = spec->core ? look_at_core(target, spec) : look_at_process(target, spec);
	if (err) {
		target__free(target);
		return err;
	}
	*result = target;
	return 0;
}

bool target__exists(const struct target *target)
{
	return target->space.core || proc_status_bytes(target->pid, "VmSize");
}

void target__free(struct target *target)
{
	if (!target)
		return;
	forget_files(target);
	free(target);
}
