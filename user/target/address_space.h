/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a process as it is now, or as a core file has it: reading is the same. */
#ifndef ADDRESS_SPACE_H
#define ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/procfs.h"

struct core_file;

/* Owns nothing: a value. */
struct address_space {
	pid_t pid;
	struct core_file *core; /* NULL: the process's own memory */
};

static inline struct address_space address_space__of_process(pid_t pid)
{
	return (struct address_space){.pid = pid};
}

/* Reads size bytes. 0; -EFAULT if not all of them are there; or -errno. */
int address_space__read(struct address_space space, uint64_t address, void *to, size_t size);

/* Reads as process_vm_readv(2) does, and ends with the first of the remote pieces that is not
 * there: returns how many bytes, or -1 with errno. */
ssize_t address_space__readv(struct address_space space, const struct iovec *local, size_t nlocal,
			     const struct iovec *remote, size_t nremote);

/* Reads as many of n pieces, at most IOV_MAX, as possible: one that is gone ends the system call,
 * and is skipped. done: for each, whether it was read in full. Returns 0 or -errno. */
int address_space__read_pieces(struct address_space space, const struct iovec *local,
			       const struct iovec *remote, size_t n, bool *done);

/* Visits all mappings by address, until the visitor returns other than 0, and returns that; -errno
 * if they cannot be read. */
int address_space__visit_maps(struct address_space space,
			      int (*visit)(void *context, const struct proc_map *map),
			      void *context);

/* Opens the file that is mapped there. Returns a descriptor or -errno. */
int address_space__open_file(struct address_space space, const struct proc_map *map);

#endif /* ADDRESS_SPACE_H */
