// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "target/mapped_files.h"

/* A file's maps lie together. */
struct visit {
	struct address_space space;
	struct images *images;
	unsigned int dev_major, dev_minor; /* of the last file */
	uint64_t inode;
	int (*visit)(void *context, const struct mapped_file *file);
	void *context;
};

static int visit_map(void *context, const struct proc_map *map)
{
	struct visit *visit = context;
	struct mapped_file file = {.path = map->path};
	int fd, err = 0;

	if (!map->executable || !map->inode ||
	    (map->inode == visit->inode && map->dev_major == visit->dev_major &&
	     map->dev_minor == visit->dev_minor))
		return 0;
	visit->inode = map->inode;
	visit->dev_major = map->dev_major;
	visit->dev_minor = map->dev_minor;
	fd = address_space__open_file(visit->space, map);
	if (fd < 0) {
		log_detail("a mapped file, inode %" PRIu64 ", cannot be opened: %s", map->inode,
			   strerror(-fd));
		return 0;
	}
	file.elf = images__open(visit->images, fd);
	if (file.elf && elf_file__bias(file.elf, map->start, map->offset, &file.bias))
		err = visit->visit(visit->context, &file);
	elf_file__free(file.elf);
	return err;
}

int mapped_files__visit(struct address_space space, struct images *images,
			int (*visit)(void *context, const struct mapped_file *file), void *context)
{
	struct visit state = {
		.space = space,
		.images = images,
		.visit = visit,
		.context = context,
	};

	return address_space__visit_maps(space, visit_map, &state);
}
