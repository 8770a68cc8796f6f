/* SPDX-License-Identifier: BSD-2-Clause */
/* A target: a process, or what a core file has of one; the CPython in it, and the files with its
 * allocators. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/address_space.h"
#include "target/elffile.h"
#include "target/layouts.h"
#include "target/private_allocator.h"
#include "target/usdt_args.h"

struct images;

enum marker_type {
	MARKER_ENTRY,
	MARKER_RETURN,
	MARKER_LINE,
	MARKERS,
};

/* Places used per marker; compilers rarely make several. */
#define MARKER_PLACES 8

struct target_marker {
	uint64_t address;   /* as linked */
	uint64_t semaphore; /* offset in the interpreter's file; 0: none */
	struct marker_site site;
};

struct target_file {
	struct elf_file *elf;
	uint64_t bias; /* added to linked addresses to get the process's */
};

struct target_private {
	struct target_file file;
	struct private_function *functions;
	size_t n;
};

struct target {
	pid_t pid;
	struct address_space space;
	char comm[COMM_LEN];
	char cmdline[4096];
	char version[32];   /* "3.11.2", or "3.11" if no more is known */
	uint32_t pool_size; /* of its pymalloc: POOL_SIZE in Objects/obmalloc.c, bytes */
	bool has_layout;
	struct py_layout layout;
	enum attribution attribution;
	bool before_main; /* has not run a line of Python yet */

	struct target_file python; /* contains the interpreter */
	uint64_t runtime;	   /* of _PyRuntime, in the process */
	uint64_t code_type;	   /* of PyCode_Type, likewise; 0: not found */
	uint64_t code_dealloc;	   /* linked address; 0: not found */
	uint32_t thread_size;	   /* see struct process */

	struct target_marker markers[MARKERS][MARKER_PLACES];
	size_t nmarkers[MARKERS];

	struct target_file *allocators; /* with malloc and free: libc, and what preempts it */
	size_t nallocators;

	/* Allocators that files have inside, of all that were loaded at the last look
	 * (target/loaded.h); and the dynamic loader, if it tells when it has loaded more. */
	struct target_private *privates;
	size_t nprivates;
	struct target_file loader;
};

/* What a caller wants of a target. */
struct target_spec {
	enum attribution attribution; /* 0: auto */
	bool lines;		      /* its line markers are recorded: mode lines */
	bool before_main;	      /* it has not reached main() yet */
	bool privates;		      /* allocators that files have inside are wanted, too */
	struct images *images;	      /* shares its files; NULL: they are its own */
	struct core_file *core;	      /* has its memory, and outlives it; NULL: it runs */
};

/* Examines a process. Returns 0 and the target, which the caller frees, or -errno, having said why
 * on stderr. */
int target__new(pid_t pid, const struct target_spec *spec, struct target **target);
void target__free(struct target *target);

/* Whether its memory can still be read. */
bool target__exists(const struct target *target);

/* Whether the process maps a CPython; with_libc: and its libc, so that it can be attached to. */
bool target__is_python(pid_t pid, struct images *images, bool with_libc);

/* All processes that run CPython: a malloc'ed array, and their number in n. NULL with errno. */
pid_t *target__list(size_t *n, struct images *images);

/* "function__entry" and the others. */
const char *marker__name(enum marker_type type);

/* The option's value: "frames", "usdt"; for 0, not decided yet, "auto". NULL past the last. */
const char *attribution__name(size_t attribution);

#endif /* TARGET_H */
