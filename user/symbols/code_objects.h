/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: turns code objects, as the BPF side sent them, into file, function and line. Everything
 * handed out lives until it is swept away.
 */
#ifndef CODE_OBJECTS_H
#define CODE_OBJECTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pymemtop.h"

/* One location in a program. Equal locations are the same pointer. */
struct location {
	const char *file;     /* UTF-8; "[native]" and the like for what is no file */
	const char *function; /* UTF-8, qualified if the version has that */
	int line;	      /* 0: none */
};

struct code_objects;

struct code_objects *code_objects__new(void);
void code_objects__free(struct code_objects *names);

/* Take a record from the ring. Return 0 or -ENOMEM; what makes no sense is skipped. */
int code_objects__add_part(struct code_objects *names, const struct code_part *part, size_t size);
int code_objects__add_code(struct code_objects *names, const struct code_record *record,
			   size_t size);
/* Takes a line table of record->size bytes, malloc'ed, even if it fails. */
int code_objects__add_long_table(struct code_objects *names, const struct long_table *record,
				 uint8_t *data);
int code_objects__add_inherited(struct code_objects *names, const struct inherited_code *record,
				size_t size);

/*
 * Returns the location of a frame of that process, or NULL if out of memory. *skip: the frame is
 * not complete yet, so Python would not show it either.
 */
const struct location *code_objects__resolve(struct code_objects *names, __u32 process,
					     const struct frame *frame, bool *skip);

/* Returns the number of code objects. */
size_t code_objects__count(const struct code_objects *names);

/* Forgets the code objects of a process. */
void code_objects__forget_process(struct code_objects *names, __u32 process);

/* Whether a process still has the code object that the BPF side has sent for an address. */
struct code_life {
	bool (*is_alive)(void *context, __u32 process, __u64 address);
	void *context;
};

/* Forgets code objects that are dead at this look and were at the last one. */
void code_objects__forget_dead(struct code_objects *names, const struct code_life *life);

/* Forgets locations and names that nobody needs: the first call marks all as unused, then each one
 * that is needed is marked, and the last call frees the rest. */
void code_objects__begin_sweep(struct code_objects *names);
void location__mark(const struct location *location);
void code_objects__end_sweep(struct code_objects *names);

/* Mark a function's name: the line's thread waited while a native thread did this, or likely did.
 */
#define NATIVE_THREAD	     "[native thread]"
#define LIKELY_NATIVE_THREAD "[native thread, likely]"

/* Returns the marked location of the same line, or NULL if out of memory. */
const struct location *code_objects__mark_native(struct code_objects *names,
						 const struct location *location, bool likely);

/* Returns the location that stands for how a stack ends, or NULL if that is whole. */
const struct location *location__of_end(enum stack_end end);

/* The locations of what has no Python frame at all; and of stacks that came, held nothing, and were
 * forgotten. */
extern const struct location *const location_native, *const location_forgotten;

#endif /* CODE_OBJECTS_H */
