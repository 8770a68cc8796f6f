/* SPDX-License-Identifier: BSD-2-Clause */
/* What the notes of a core file tell of the process that was dumped: core(5), and fs/binfmt_elf.c
 * of Linux. */
#ifndef CORE_NOTES_H
#define CORE_NOTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/procfs.h>
#include <sys/types.h>

/* A mapping of a file. */
struct mapped_file {
	uint64_t start, end, offset;
	const char *name; /* in the notes */
	size_t number;	  /* the same for the same name */
	int fd;		  /* -1: not opened */
	int err;	  /* why it cannot be; 0: not tried, or open */
};

struct core_notes {
	char *bytes; /* owned, with a NUL behind them */
	size_t size;
	struct mapped_file *files; /* by address; owned */
	size_t nfiles;
	uint64_t stack; /* an address in it; 0: not known */
	pid_t pid;
	char comm[sizeof(((struct elf_prpsinfo *)0)->pr_fname) + 1];
	char cmdline[ELF_PRARGSZ + 1];
};

/* Parses the bytes. Returns 0 or -ENOMEM; what is damaged is left out. */
int core_notes__read(struct core_notes *notes);

/* Also closes the files. */
void core_notes__clear(struct core_notes *notes);

#endif /* CORE_NOTES_H */
