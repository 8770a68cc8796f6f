/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc says about a process (proc(5)). */
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
	bool is_writable;
	bool is_private;
	bool is_accessible; /* readable, writable or executable */
	char path[4096];    /* as the target sees it, without any " (deleted)" */
};

/* Parses one line of maps; false if it is malformed. */
bool proc_map__parse(const char *line, struct proc_map *map);

/* Opens /proc/PID/maps; NULL with errno. */
FILE *proc_maps__open(pid_t pid);

/* Opens /proc/PID/smaps: the same lines, each followed by details of the map. */
FILE *proc_smaps__open(pid_t pid);

/* Opens /proc/PID/cgroup (cgroups(7)); NULL with errno. */
FILE *proc_cgroup__open(pid_t pid);

/* Reads the next map; false at the end. */
bool proc_maps__next(FILE *maps, struct proc_map *map);

/*
 * Opens the file that is really mapped there, even if it has been deleted or replaced since, or is
 * in another mount namespace. Returns a descriptor or -errno; -EPERM: some user's program serves
 * it, and may never answer (base/mounts.h).
 */
int proc_map__open_file(pid_t pid, const struct proc_map *map);

/* Resident bytes, 0 if the process is gone. */
uint64_t proc_rss(pid_t pid);

/* Sizes in pages, from /proc/PID/statm: the address space, and what is resident of files and shared
 * memory. 0 or -errno. */
struct proc_sizes {
	uint64_t all, shared;
};
int proc_sizes(pid_t pid, struct proc_sizes *sizes);

/* A size in /proc/PID/status, such as "RssAnon", in bytes; 0 if it is not there. */
uint64_t proc_status_bytes(pid_t pid, const char *name);

/* The command line, its arguments separated by blanks, in buffer, which is always terminated. 0, or
 * -errno if the process is gone. */
int proc_cmdline(pid_t pid, char *buffer, size_t size);

/* The main thread's name, made printable, in buffer. 0 or -errno. */
int proc_comm(pid_t pid, char *buffer, size_t size);

/* The working directory as seen from the process's own root, in buffer, which is always terminated.
 * 0 or -errno. */
int proc_cwd(pid_t pid, char *buffer, size_t size);

/* Ids of all processes, like proc_threads(). */
pid_t *proc_processes(size_t *n);

/* Thread ids of a process: a malloc'ed array, and their number in n. NULL with errno. */
pid_t *proc_threads(pid_t pid, size_t *n);

/* Its real user; -1: it is gone. */
uid_t proc_user(pid_t pid);

/* Its parent; 0: it is gone, or has none. */
pid_t proc_parent(pid_t pid);

bool proc_exists(pid_t pid);

/* Its state as one letter, such as 'T' for stopped and 'Z' for a zombie; 0: it is gone. */
char proc_state(pid_t pid);

/* What tells a program that runs under an id from any other, before and after an exec: when the
 * process began, and where its stack does. 0 or -errno. */
struct proc_life {
	uint64_t start_time, start_stack;
};
int proc_life(pid_t pid, struct proc_life *life);

/* How often the process took a new page, or one that had been taken away, without reading a file;
 * 0: it is gone. */
uint64_t proc_minor_faults(pid_t pid);

/* How often the first threads of a process have waited for something. */
uint64_t proc_waits(pid_t pid);

/* When the process began: seconds since 1970, to a hundredth; now, if it has ended. */
double proc_started(pid_t pid);

/* Reads size bytes at address in the process's memory. 0; -EFAULT if not all of them are there; or
 * -errno. */
int proc_read(pid_t pid, uint64_t address, void *to, size_t size);

#endif /* PROCFS_H */
