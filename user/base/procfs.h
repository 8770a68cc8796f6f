/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells about a process (proc(5)). */
#ifndef PROCFS_H
#define PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* One line of /proc/PID/maps. */
struct proc_map {
	uint64_t start, end, offset;
	uint64_t inode;
	unsigned int dev_major, dev_minor;
	bool executable;
	bool is_private;
	bool is_accessible; /* in any way */
	char path[4096];    /* as the target sees it, with " (deleted)" cut off */
};

/* Reads one line of maps; false where it is not one. */
bool proc_map__parse(const char *line, struct proc_map *map);

/* Opens /proc/PID/maps; NULL with errno. */
FILE *proc_maps__open(pid_t pid);

/* /proc/PID/smaps: the same lines, each followed by what is known of the map. */
FILE *proc_smaps__open(pid_t pid);

/* Reads the next map; false at the end. */
bool proc_maps__next(FILE *maps, struct proc_map *map);

/*
 * Opens the very file that is mapped there, also where it has been deleted or
 * replaced since, or lies in another mount namespace. Returns a descriptor or
 * -errno.
 */
int proc_map__open_file(pid_t pid, const struct proc_map *map);

/* Resident bytes, 0 where the process is gone. */
uint64_t proc_rss(pid_t pid);

/* A size in /proc/PID/status, such as "RssAnon", in bytes; 0 where it is not there. */
uint64_t proc_status_bytes(pid_t pid, const char *name);

/* The command line, arguments separated by blanks, in buffer, which is always
 * terminated. 0, or -errno where the process is gone. */
int proc_cmdline(pid_t pid, char *buffer, size_t size);

/* The main thread's name, made printable. 0 or -errno. */
int proc_comm(pid_t pid, char *buffer, size_t size);

/* The working directory, seen from the process's own root, in buffer, which is always
 * terminated. 0 or -errno. */
int proc_cwd(pid_t pid, char *buffer, size_t size);

/* Ids of all processes: as proc_threads(). */
pid_t *proc_processes(size_t *n);

/* Thread ids of a process: a malloc'ed array, the number of them in n. NULL with
 * errno. */
pid_t *proc_threads(pid_t pid, size_t *n);

bool proc_exists(pid_t pid);

/* The bytes at address in the process's memory. 0, or -EFAULT where not all of
 * them are there, or -errno. */
int proc_read(pid_t pid, uint64_t address, void *to, size_t size);

#endif /* PROCFS_H */
