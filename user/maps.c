// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "maps.h"
#include "pymemtop.h"

/* The keys are read in one go first: deleting while going through a hash begins it
 * anew. */
void map__sweep(const struct bpf_map *map, int shift, const bool *dead)
{
	size_t size = bpf_map__key_size(map), n = 0, room = 0, i;
	struct mapping value;
	int fd = bpf_map__fd(map);
	char *keys = NULL, *more;
	__u64 key = 0;
	__u32 id;

	while (!bpf_map_get_next_key(fd, n ? keys + (n - 1) * size : NULL, &key)) {
		if (n == room) {
			room = room ? 2 * room : 1024;
			more = reallocarray(keys, room, size);
			if (!more)
				break;
			keys = more;
		}
		memcpy(keys + n++ * size, &key, size);
		if (n > bpf_map__max_entries(map))
			break;
	}
	for (i = 0; i < n; i++) {
		key = 0;
		memcpy(&key, keys + i * size, size);
		id = shift ? key >> shift : 0;
		if (!shift && !bpf_map_lookup_elem(fd, &key, &value))
			id = value.process;
		if (id < MAX_PROCESSES && dead[id])
			bpf_map_delete_elem(fd, &key);
	}
	free(keys);
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

	bpf_object__for_each_map(map, object) {
		if (bpf_map__fd(map) >= 0)
			bytes += map_memory(map);
	}
	return bytes;
}
