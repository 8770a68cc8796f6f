/* SPDX-License-Identifier: BSD-2-Clause */
/* Source text that a process keeps itself, in linecache.cache: of what is in no file, such as a
 * notebook's cells (Lib/linecache.py; IPython/core/compilerop.py). */
#ifndef LINECACHE_H
#define LINECACHE_H

#include "target/source_text.h"
#include "target/target.h"

/* Returns the text that a process has for a file's name; NULL: it has none. pid: the target's, or
 * that of a child that it forked. */
struct source_text *linecache__find(const struct target *target, pid_t pid, const char *file);

#endif /* LINECACHE_H */
