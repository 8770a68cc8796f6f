/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core file: the memory of a process as the kernel (core(5)) or gdb's gcore wrote it down. What
 * is in files that were mapped and never written to is not in it, but read from those files.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/procfs.h"

struct core_file;

/* root: where the mapped files are looked for, "" for here. Returns 0 and the file, which the
 * caller frees, or -errno, having said why. */
int core_file__new(const char *path, const char *root, struct core_file **core);
void core_file__free(struct core_file *core);

/* Of the process that was dumped; its command line is cut at 80 bytes by its writer. */
pid_t core_file__pid(const struct core_file *core);
const char *core_file__comm(const struct core_file *core);
const char *core_file__cmdline(const struct core_file *core);

/* Bytes of memory that the file has, holes left out; and that it lacks, as it was cut off. */
uint64_t core_file__dumped_bytes(const struct core_file *core);
uint64_t core_file__missing_bytes(const struct core_file *core);

/* Reads size bytes of the process's memory. 0, or -EFAULT if not all of them are there. */
int core_file__read(struct core_file *core, uint64_t address, void *to, size_t size);

/* The mapping of that number, by address; false past the last. Inodes are only the files' numbers
 * among themselves. */
bool core_file__map(const struct core_file *core, size_t i, struct proc_map *map);

/* Opens a mapped file, if it still is the one that was mapped. Returns a descriptor or -errno;
 * -ESTALE: it is another by now. */
int core_file__open_file(struct core_file *core, const struct proc_map *map);

/* Says which of the mapped files that may be CPython is missing, or another than was mapped. */
void core_file__say_why_no_python(struct core_file *core);

/* Finds what was dumped, and is no hole, from that address on, below the end. False: nothing. */
bool core_file__next_data(const struct core_file *core, uint64_t *address, uint64_t *end);

#endif /* CORE_FILE_H */
