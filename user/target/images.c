// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file_id.h"
#include "target/images.h"

/* Unused files to keep, each with an open descriptor. */
#define MOST_UNUSED 256

struct image {
	struct file_id id;
	struct elf_file *elf; /* NULL: not an ELF file */
	uint64_t used;	      /* images.uses when last used */
};

struct images {
	struct image *all;
	size_t n;
	uint64_t uses;
};

struct images *images__new(void)
{
	return calloc(1, sizeof(struct images));
}

void images__free(struct images *images)
{
	size_t i;

	if (!images)
		return;
	for (i = 0; i < images->n; i++)
		elf_file__free(images->all[i].elf);
	free(images->all);
	free(images);
}

static struct image *find(const struct images *images, const struct file_id *id)
{
	size_t i;

	for (i = 0; i < images->n; i++) {
		if (file_id__equals(&images->all[i].id, id))
			return &images->all[i];
	}
	return NULL;
}

static bool is_unused(const struct image *image)
{
	return !image->elf || !elf_file__is_shared(image->elf);
}

/* If too many files are unused, drops those used least recently. */
static void drop_unused(struct images *images)
{
	size_t unused = 0, i, n = 0;
	uint64_t oldest = images->uses - MOST_UNUSED / 2;

	for (i = 0; images->all && i < images->n; i++)
		unused += is_unused(&images->all[i]);
	if (unused <= MOST_UNUSED)
		return;
	for (i = 0; i < images->n; i++) {
		if (is_unused(&images->all[i]) && images->all[i].used < oldest)
			elf_file__free(images->all[i].elf);
		else
			images->all[n++] = images->all[i];
	}
	images->n = n;
}

struct elf_file *images__open(struct images *images, int fd)
{
	struct image *known, *more;
	struct file_id id;

	if (!images || file_id__of(fd, &id))
		return elf_file__new(fd);
	known = find(images, &id);
	images->uses++;
	if (known) {
		known->used = images->uses;
		close(fd);
		return elf_file__ref(known->elf);
	}
	drop_unused(images);
	more = reallocarray(images->all, images->n + 1, sizeof(*more));
	if (!more)
		return elf_file__new(fd);
	images->all = more;
	more += images->n++;
	*more = (struct image){id, elf_file__new(fd), images->uses};
	return elf_file__ref(more->elf);
}
