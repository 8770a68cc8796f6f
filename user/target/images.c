// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/images.h"

/* What tells a file from another one, or from what it was. */
struct image_id {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct image {
	struct image_id id;
	struct elf_file *elf; /* NULL: it is no ELF file */
};

struct images {
	struct image *all;
	size_t n;
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

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_image(const struct image_id *a, const struct image_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

static const struct image *find(const struct images *images, const struct image_id *id)
{
	size_t i;

	for (i = 0; i < images->n; i++) {
		if (same_image(&images->all[i].id, id))
			return &images->all[i];
	}
	return NULL;
}

struct elf_file *images__open(struct images *images, int fd)
{
	const struct image *known;
	struct image *more;
	struct image_id id;
	struct stat st;

	if (!images || fstat(fd, &st))
		return elf_file__new(fd);
	id = (struct image_id){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
	known = find(images, &id);
	if (known) {
		close(fd);
		return elf_file__ref(known->elf);
	}
	more = reallocarray(images->all, images->n + 1, sizeof(*more));
	if (!more)
		return elf_file__new(fd);
	images->all = more;
	more += images->n++;
	*more = (struct image){id, elf_file__new(fd)};
	return elf_file__ref(more->elf);
}
