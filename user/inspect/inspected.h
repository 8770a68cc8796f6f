/* SPDX-License-Identifier: BSD-2-Clause */
/* A process, or a core file, that was looked at once, or twice. */
#ifndef INSPECTED_H
#define INSPECTED_H

#include <limits.h>

#include "base/procfs.h"
#include "inspect/census.h"
#include "target/target.h"

struct inspected {
	pid_t pid;
	char comm[COMM_LEN];
	char version[32]; /* of its CPython */
	char *cmdline;
	bool is_core;
	struct target *target;	/* NULL: it has ended, or was saved */
	struct core_file *core; /* NULL: it runs */
	struct reader *reader;	/* of its sources, from cwd on; NULL: they are not read */
	char cwd[PATH_MAX];
	struct census *first,
		*now;	       /* first: NULL: it was looked at once; now: NULL: it has ended */
	struct proc_life life; /* at the first look */
	uint64_t rss;	       /* bytes; of a core: that were dumped */
	uint64_t missing;      /* bytes that a core lacks, as it was cut off */
	double seconds;	       /* that the last look took */
};

/* Opens a core file: see core_file__new(). Returns 0 or -errno, having said why. */
int inspected__open_core(struct inspected *inspected, const char *path, const char *root);

/* Opens a process; readers: for its sources. Returns 0 or -errno, having said why. */
int inspected__open_process(struct inspected *inspected, pid_t pid, struct images *images,
			    struct readers *readers);

/* Looks at it now: what was seen last is the first look from then on. The options lack a reader.
 * Returns 0 or -errno, having said why. */
int inspected__look(struct inspected *inspected, const struct census_options *options);

void inspected__clear(struct inspected *inspected);

/* What a type has gained since the first look. */
struct census_type inspected__growth(const struct inspected *inspected,
				     const struct census_type *type);

/* Bytes that a holder of the last look, in one at that path, retains more than at the first. */
int64_t inspected__holder_growth(const struct inspected *inspected, const struct holder *holder);

#endif /* INSPECTED_H */
