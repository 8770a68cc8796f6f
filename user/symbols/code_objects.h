/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: from code objects, as the BPF side sent them, to file, function and
 * line. Everything handed out lives until it is swept away.
 */
#ifndef CODE_OBJECTS_H
#define CODE_OBJECTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "pymemtop.h"

/* One place in a program. The same place is always the same pointer. */
struct location {
	const char *file;     /* UTF-8; "[native]" and its like for what is no file */
	const char *function; /* UTF-8, qualified where the version has it */
	int line;	      /* 0: none */
};

struct code_objects;

struct code_objects *code_objects__new(void);
void code_objects__free(struct code_objects *names);

/* Take a record of the ring. 0 or -ENOMEM; what makes no sense is passed over. */
int code_objects__add_part(struct code_objects *names, const struct code_part *part, size_t size);
int code_objects__add_code(struct code_objects *names, const struct code_record *record,
			   size_t size);
int code_objects__add_inherited(struct code_objects *names, const struct inherited_code *record,
				size_t size);

/*
 * The place of a frame of that process. NULL where memory is short. *skip is
 * whether the frame is not complete yet, so that Python would not show it either.
 */
const struct location *code_objects__resolve(struct code_objects *names, __u32 process,
					     const struct frame *frame, bool *skip);

/* How many there are. */
size_t code_objects__count(const struct code_objects *names);

/* Forgets those of a process. */
void code_objects__forget_process(struct code_objects *names, __u32 process);

/* Whether a process has a code object at an address that the BPF side has sent. */
struct code_life {
	bool (*is_alive)(void *context, __u32 process, __u64 address);
	void *context;
};

/* Forgets those that were dead at this look, and at the last one. */
void code_objects__forget_dead(struct code_objects *names, const struct code_life *life);

/* Forgets places and names that nobody needs. Whoever needs some says so in between: first all
 * are unused, then each that is needed is marked, then the rest goes. */
void code_objects__begin_sweep(struct code_objects *names);
void location__mark(const struct location *location);
void code_objects__end_sweep(struct code_objects *names);

/* The place that stands for how a stack ends, NULL for STACK_WHOLE. */
const struct location *location__of_end(enum stack_end end);

/* The place of what has no Python frame at all; and of stacks that came, held nothing, and were
 * forgotten. */
extern const struct location *const location_native, *const location_forgotten;

#endif /* CODE_OBJECTS_H */
