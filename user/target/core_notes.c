// SPDX-License-Identifier: BSD-2-Clause
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "target/core_notes.h"

static int compare_files(const void *a, const void *b)
{
	const struct mapped_file *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void read_process(struct core_notes *notes, const char *note, size_t size)
{
	struct elf_prpsinfo info;

	if (size < sizeof(info))
		return;
	memcpy(&info, note, sizeof(info));
	notes->pid = info.pr_pid;
	memcpy(notes->comm, info.pr_fname, sizeof(info.pr_fname));
	memcpy(notes->cmdline, info.pr_psargs, sizeof(info.pr_psargs));
	utf8_keep_ascii(notes->comm);
}

/* The name of the program that was executed lies at the end of the stack. */
static void read_auxiliary(struct core_notes *notes, const char *note, size_t size)
{
	Elf64_auxv_t entry;
	size_t at;

	for (at = 0; at + sizeof(entry) <= size; at += sizeof(entry)) {
		memcpy(&entry, note + at, sizeof(entry));
		if (entry.a_type == AT_EXECFN)
			notes->stack = entry.a_un.a_val;
	}
}

/* NT_FILE (fs/binfmt_elf.c, fill_files_note()): how many, the size of a page, for each its start,
 * its end and where in the file, in pages; then the names. */
static int read_files(struct core_notes *notes, const char *note, size_t size)
{
	uint64_t words[3], counts[2], i;
	const char *name, *end = note + size;

	if (notes->files || size < sizeof(counts))
		return 0;
	memcpy(counts, note, sizeof(counts));
	if (counts[0] > (size - sizeof(counts)) / (sizeof(words) + 1) || !counts[0])
		return 0;
	notes->files = calloc(counts[0], sizeof(*notes->files));
	if (!notes->files)
		return -ENOMEM;
	name = note + sizeof(counts) + counts[0] * sizeof(words);
	for (i = 0; i < counts[0] && name < end; i++) {
		memcpy(words, note + sizeof(counts) + i * sizeof(words), sizeof(words));
		notes->files[notes->nfiles++] =
			(struct mapped_file){words[0], words[1], words[2] * counts[1], name, i + 1,
					     -1,       0};
		name += strnlen(name, end - name) + 1;
	}
	qsort(notes->files, notes->nfiles, sizeof(*notes->files), compare_files);
	/* A file's mappings mostly lie together. */
	for (i = 1; i < notes->nfiles; i++) {
		if (!strcmp(notes->files[i].name, notes->files[i - 1].name))
			notes->files[i].number = notes->files[i - 1].number;
	}
	return 0;
}

#define ALIGN4(n) (((uint64_t)(n) + 3) & ~3ULL)

int core_notes__read(struct core_notes *notes)
{
	uint64_t at = 0, descriptor;
	Elf64_Nhdr head;
	int err = 0;

	while (!err && at + sizeof(head) <= notes->size) {
		memcpy(&head, notes->bytes + at, sizeof(head));
		descriptor = at + sizeof(head) + ALIGN4(head.n_namesz);
		if (descriptor > notes->size || head.n_descsz > notes->size - descriptor)
			break;
		if (head.n_type == NT_PRPSINFO)
			read_process(notes, notes->bytes + descriptor, head.n_descsz);
		else if (head.n_type == NT_AUXV)
			read_auxiliary(notes, notes->bytes + descriptor, head.n_descsz);
		else if (head.n_type == NT_FILE)
			err = read_files(notes, notes->bytes + descriptor, head.n_descsz);
		at = descriptor + ALIGN4(head.n_descsz);
	}
	return err;
}

void core_notes__clear(struct core_notes *notes)
{
	size_t i;

	for (i = 0; i < notes->nfiles; i++) {
		if (notes->files[i].fd >= 0)
			close(notes->files[i].fd);
	}
	free(notes->files);
	free(notes->bytes);
}
