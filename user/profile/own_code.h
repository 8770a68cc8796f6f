/* SPDX-License-Identifier: BSD-2-Clause */
/* Which code is the program's own. */
#ifndef OWN_CODE_H
#define OWN_CODE_H

#include <stdbool.h>

#include "symbols/code_objects.h"

/* Whether a file is not the program's own, by where distributions, virtual environments and Python
 * itself put modules. True for what is no file. */
bool file__is_library(const char *file);

/* Whether a location is the program's own, by its file; what was given as text, as to python -c,
 * is. */
bool location__is_own(const struct location *location);

#endif /* OWN_CODE_H */
