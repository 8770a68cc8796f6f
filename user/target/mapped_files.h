/* SPDX-License-Identifier: BSD-2-Clause */
/* The ELF files whose code a process maps. */
#ifndef MAPPED_FILES_H
#define MAPPED_FILES_H

#include "target/address_space.h"
#include "target/elffile.h"
#include "target/images.h"

struct mapped_file {
	const char *path; /* as the process sees it */
	struct elf_file *elf;
	uint64_t bias; /* added to linked addresses to get the process's */
};

/* Visits each once, in the order of their addresses, until a call returns other than 0. The file is
 * the visit's only until it returns: it takes a reference to keep it. images: may be NULL. Files
 * that cannot be opened are left out. Returns 0, what a call returned, or -errno. */
int mapped_files__visit(struct address_space space, struct images *images,
			int (*visit)(void *context, const struct mapped_file *file), void *context);

#endif /* MAPPED_FILES_H */
