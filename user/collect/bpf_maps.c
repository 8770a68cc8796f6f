// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "collect/bpf_maps.h"
#include <linux/types.h>

#include "pymemtop.h"

int map__keys(const struct bpf_map *map, void **result, size_t *n)
{
	size_t size = bpf_map__key_size(map), room = 0;
	char *keys = NULL, *more, *next;
	int fd = bpf_map__fd(map);

	/* Where the last key is deleted meanwhile, it begins anew. */
	for (*n = 0; *n <= bpf_map__max_entries(map); ++*n) {
		if (*n == room) {
			room = room ? 2 * room : 1024;
			more = reallocarray(keys, room, size);
			if (!more) {
				free(keys);
				return -ENOMEM;
			}
			keys = more;
		}
		next = keys + *n * size;
		if (bpf_map_get_next_key(fd, *n ? next - size : NULL, next))
			break;
	}
	*result = keys;
	return 0;
}

/* The keys are read in one go first: deleting while going through a hash begins it
 * anew. */
int map__sweep(const struct bpf_map *map, int shift, const bool *dead)
{
	size_t size = bpf_map__key_size(map), n, i;
	struct mapping value;
	int fd = bpf_map__fd(map);
	__u64 key;
	__u32 id;
	void *keys;
	int err = map__keys(map, &keys, &n);

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		key = 0;
		memcpy(&key, (char *)keys + i * size, size);
		id = shift ? key >> shift : 0;
		if (!shift && !bpf_map_lookup_elem(fd, &key, &value))
			id = value.process;
		if (id < MAX_PROCESSES && dead[id])
			bpf_map_delete_elem(fd, &key);
	}
	free(keys);
	return 0;
}

static uint64_t map_memory(const struct bpf_map *map)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "memlock: %llu", &bytes) != 1)
		;
	fclose(file);
	return bytes;
}

uint64_t maps__memory(const struct bpf_object *object)
{
	struct bpf_map *map;
	uint64_t bytes = 0;

	bpf_object__for_each_map (map, object) {
		if (bpf_map__fd(map) >= 0)
			bytes += map_memory(map);
	}
	return bytes;
}
