/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process has loaded, also after it was first looked at: allocators that files have inside.
 */
#ifndef LOADED_H
#define LOADED_H

#include "target/target.h"

/* Adds what is new to the target. pid: its process, or one that was forked from it. images: may be
 * NULL. Returns how many files were added, or -errno; 0 if the process is gone. */
int loaded__look(struct target *target, pid_t pid, struct images *images);

#endif /* LOADED_H */
