/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems, by what /proc says of their mounts (proc(5)). */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether a file on that device, which a process maps, may be opened and read: what a user's own
 * program serves (FUSE) may never answer, and whoever waits for it cannot be killed. A FUSE file
 * system that root has mounted, where we see it, may; so may all other kinds. What is on no mount
 * that can be found may not, but for memory (memfd_create(2)).
 */
bool mounts__may_read(pid_t pid, unsigned int dev_major, unsigned int dev_minor);

#endif /* MOUNTS_H */
