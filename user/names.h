/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: from code objects, as the BPF side sent them, to file, function and
 * line. Everything handed out lives as long as the names do.
 */
#ifndef NAMES_H
#define NAMES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "pymemtop.h"

/* One place in a program. The same place is always the same pointer. */
struct name {
	const char *file;	/* UTF-8; "[native]" and its like for what is no file */
	const char *function;	/* UTF-8, qualified where the version has it */
	int line;		/* 0: none */
};

struct names;

struct names *names__new(void);
void names__free(struct names *names);

/* Take a record of the ring. 0 or -ENOMEM; what makes no sense is passed over. */
int names__add_part(struct names *names, const struct code_part *part, size_t size);
int names__add_code(struct names *names, const struct code_record *record, size_t size);
int names__add_inherited(struct names *names, const struct inherited_code *record, size_t size);

/*
 * The place of a frame of that process. NULL where memory is short. *skip is
 * whether the frame is not complete yet, so that Python would not show it either.
 */
const struct name *names__resolve(struct names *names, __u32 process, const struct frame *frame,
				  bool *skip);

/* The place that stands for how a stack ends, NULL for STACK_WHOLE. */
const struct name *name__of_end(enum stack_end end);

/* The place of what has no Python frame at all. */
extern const struct name name_native;

#endif /* NAMES_H */
