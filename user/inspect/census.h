/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the objects that are alive in a process, by type. Nothing is stopped, and nothing has to
 * be prepared. Pools hold all small objects, whatever refers to them. Larger ones are found by what
 * refers to them: each word of a small object, of a table, of static data and of frames that points
 * to where an object begins. Their pointers are not known by name, but tried.
 */
#ifndef CENSUS_H
#define CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/definitions.h"
#include "inspect/holders.h"
#include "inspect/instances.h"
#include "inspect/residence.h"
#include "target/target.h"

struct census_type {
	const char *name;
	const struct type *type;   /* one of them */
	struct definition defined; /* of a class */
	uint64_t count, bytes;
};

struct census {
	struct census_type *types; /* by bytes, the largest first; each name and place once */
	size_t ntypes;
	const struct census_type **by_name;
	uint64_t count, bytes;	/* of all objects */
	uint64_t pool_bytes;	/* slots that are taken, also by tables, which are no objects */
	uint64_t swapped_bytes; /* memory that is swapped out, and was not looked at */
	struct residence residence;
	size_t left_out;	/* addresses that were not looked at, as there were too many */
	size_t torn;		/* pools that changed each time they were read, and are left out */
	struct holder *holders; /* NULL: not asked for */
	struct instances *instances; /* likewise */
	struct type_table *names;
	struct arena *texts;
};

struct census_options {
	bool holders;
	const char *type;      /* whose instances are described; NULL: none */
	struct reader *reader; /* of the process's sources, from cwd on; NULL: they are not read */
	const char *cwd;
};

/* Returns 0 and the census, which the caller frees, or -errno, having said why: -EINTR if a signal
 * was caught meanwhile. */
int census__take(const struct target *target, const struct census_options *options,
		 struct census **census);
void census__free(struct census *census);

/* Returns what a census has of a type of that name and place, NULL if it has none. */
const struct census_type *census__find(const struct census *census, const struct census_type *type);

/* What a type has gained since a census before: counts and bytes that can be negative. */
struct census_type census__growth(const struct census *before, const struct census_type *type);

#endif /* CENSUS_H */
