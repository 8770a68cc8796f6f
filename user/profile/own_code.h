/* SPDX-License-Identifier: BSD-2-Clause */
/* Which code is the program's own. */
#ifndef OWN_CODE_H
#define OWN_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "symbols/code_objects.h"

/* What the user says of files: glob(7) patterns, for paths or their last part. */
struct own_code {
	const char **files, **libraries; /* of the program's own code; of what is not */
	size_t nfiles, nlibraries;
};

/* Whether a file matches one of n patterns, with its path or with the last part of it. */
bool file__matches(const char *file, const char **patterns, size_t n);

/*
 * Whether a file is not the program's own: by what the user says, first of libraries; else by where
 * distributions, virtual environments and Python itself put modules, except those of a package that
 * the process's command line names, as "shop serve", "python -m shop" or "gunicorn shop.wsgi:app".
 * True for what is no file. code NULL: the user says nothing; cmdline NULL: it is not known.
 */
bool file__is_library(const struct own_code *code, const char *cmdline, const char *file);

/* Whether a location is the program's own, by its file; what was given as text, as to python -c,
 * is. */
bool location__is_own(const struct own_code *code, const char *cmdline,
		      const struct location *location);

#endif /* OWN_CODE_H */
