/* SPDX-License-Identifier: BSD-2-Clause */
/* Which code is the program's own. */
#ifndef OWN_CODE_H
#define OWN_CODE_H

#include <stdbool.h>

/* Whether a file is not the program's own, by where distributions, virtual environments and Python
 * itself put modules. True for what is no file. */
bool file__is_library(const char *file);

#endif /* OWN_CODE_H */
