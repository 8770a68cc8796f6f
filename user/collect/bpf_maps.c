// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include <linux/types.h>

#include "base/cleanup.h"
#include "collect/bpf_maps.h"
#include "pymemtop.h"

/* Elements read at a time. If values are larger, only keys are read, one by one. */
#define BATCH	      4096
#define LARGEST_VALUE 64

/* Collects keys, and values if they are small. */
struct elements {
	char *keys, *values;
	size_t n, room, key_size, value_size;
};

static void cleanup_elements(struct elements *elements)
{
	free(elements->keys);
	free(elements->values);
}

static int reserve(struct elements *elements, size_t more)
{
	size_t room = elements->n + more;
	char *keys, *values;

	if (room <= elements->room)
		return 0;
	room += room / 2;
	keys = reallocarray(elements->keys, room, elements->key_size);
	if (keys)
		elements->keys = keys;
	values = reallocarray(elements->values, room, elements->value_size);
	if (values)
		elements->values = values;
	if (!keys || !values)
		return -ENOMEM;
	elements->room = room;
	return 0;
}

/* Reads in batches, since 5.6: a system call for thousands of elements. */
static int read_batches(int fd, struct elements *elements)
{
	__u32 in, out, count, size = BATCH;
	bool first = true;
	int err = 0;

	while (!err) {
		err = reserve(elements, size);
		if (err)
			return err;
		count = size;
		err = bpf_map_lookup_batch(fd, first ? NULL : &in, &out,
					   elements->keys + elements->n * elements->key_size,
					   elements->values + elements->n * elements->value_size,
					   &count, NULL);
		if (err == -ENOSPC) {
			/* A bucket has more than size elements. */
			size *= 2;
			err = 0;
			continue;
		}
		if (!err || err == -ENOENT)
			elements->n += count;
		in = out;
		first = false;
	}
	return err == -ENOENT ? 0 : err;
}

/* Reads key by key. If the last key is deleted meanwhile, the kernel starts anew. */
static int read_keys(const struct bpf_map *map, struct elements *elements)
{
	int fd = bpf_map__fd(map);
	char *next;

	while (elements->n <= bpf_map__max_entries(map)) {
		if (reserve(elements, 1))
			return -ENOMEM;
		next = elements->keys + elements->n * elements->key_size;
		if (bpf_map_get_next_key(fd, elements->n ? next - elements->key_size : NULL, next))
			break;
		elements->n++;
	}
	return 0;
}

/* Sets has_values if the values are read as well. */
static int read_elements(const struct bpf_map *map, struct elements *elements, bool *has_values)
{
	int err = -EINVAL;

	elements->key_size = bpf_map__key_size(map);
	elements->value_size = bpf_map__value_size(map);
	*has_values = elements->value_size <= LARGEST_VALUE;
	if (*has_values)
		err = read_batches(bpf_map__fd(map), elements);
	if (!err || err == -ENOMEM)
		return err;
	*has_values = false;
	elements->n = 0;
	if (elements->value_size > LARGEST_VALUE)
		elements->value_size = 1; /* no value is read */
	return read_keys(map, elements);
}

int map__keys(const struct bpf_map *map, void **result, size_t *n)
{
	CLEANUP(cleanup_elements) struct elements elements = {0};
	bool has_values;
	int err = read_elements(map, &elements, &has_values);

	if (err)
		return err;
	*result = take(elements.keys);
	*n = elements.n;
	return 0;
}

static void delete_keys(const struct bpf_map *map, const char *keys, size_t size, size_t n)
{
	int fd = bpf_map__fd(map);
	__u32 count = n;
	size_t i;

	/* A batch ends at the first key that is gone already. */
	if (!n || (!bpf_map_delete_batch(fd, keys, &count, NULL) && count == n))
		return;
	for (i = 0; i < n; i++)
		bpf_map_delete_elem(fd, keys + i * size);
}

int map__sweep(const struct bpf_map *map, int shift, const bool *dead)
{
	CLEANUP(cleanup_elements) struct elements elements = {0};
	size_t i, n = 0;
	bool has_values;
	__u64 key;
	__u32 id;
	int err = read_elements(map, &elements, &has_values);

	if (err)
		return err;
	for (i = 0; i < elements.n; i++) {
		key = 0;
		memcpy(&key, elements.keys + i * elements.key_size, elements.key_size);
		if (shift)
			id = key >> shift;
		else if (has_values)
			id = ((const struct mapping *)elements.values)[i].process;
		else
			id = 0;
		if (id < MAX_PROCESSES && dead[id])
			memmove(elements.keys + n++ * elements.key_size,
				elements.keys + i * elements.key_size, elements.key_size);
	}
	delete_keys(map, elements.keys, elements.key_size, n);
	return 0;
}

int map__visit(const struct bpf_map *map, map_visitor visit, void *context)
{
	CLEANUP(cleanup_elements) struct elements elements = {0};
	size_t value_size = bpf_map__value_size(map), i;
	auto_free char *value = malloc(value_size);
	int fd = bpf_map__fd(map), err;
	bool has_values;
	const char *key;

	if (!value)
		return -ENOMEM;
	err = read_elements(map, &elements, &has_values);
	for (i = 0; !err && i < elements.n; i++) {
		key = elements.keys + i * elements.key_size;
		if (has_values)
			err = visit(context, key, elements.values + i * value_size);
		else if (!bpf_map_lookup_elem(fd, key, value))
			err = visit(context, key, value);
	}
	return err;
}

int map__empty(const struct bpf_map *map)
{
	CLEANUP(cleanup_elements) struct elements elements = {0};
	bool has_values;
	int err = read_elements(map, &elements, &has_values);

	if (!err)
		delete_keys(map, elements.keys, elements.key_size, elements.n);
	return err;
}

int block_table__visit(const struct bpf_map *map, map_visitor visit, void *context)
{
	size_t i, n = (size_t)bpf_map__max_entries(map) * BUCKET_SLOTS;
	struct block_slot *slots;
	int err = 0;

	slots = mmap(NULL, n * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map),
		     0);
	if (slots == MAP_FAILED)
		return -errno;
	for (i = 0; !err && i < n; i++) {
		if (!__atomic_load_n(&slots[i].key, __ATOMIC_RELAXED))
			continue;
		if (visit)
			err = visit(context, &slots[i].key, &slots[i].block);
		else
			__atomic_store_n(&slots[i].key, 0, __ATOMIC_RELEASE);
	}
	munmap(slots, n * sizeof(*slots));
	return err;
}

int block_table__sweep(const struct bpf_map *map, const bool *dead)
{
	size_t i, n = (size_t)bpf_map__max_entries(map) * BUCKET_SLOTS;
	struct block_slot *slots;
	__u64 key;

	slots = mmap(NULL, n * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map),
		     0);
	if (slots == MAP_FAILED)
		return -errno;
	/* No program touches a dead process's slots, and none takes one that is not free. */
	for (i = 0; i < n; i++) {
		key = __atomic_load_n(&slots[i].key, __ATOMIC_RELAXED);
		if (key && dead[key >> PROCESS_KEY_SHIFT])
			__atomic_store_n(&slots[i].key, 0, __ATOMIC_RELEASE);
	}
	munmap(slots, n * sizeof(*slots));
	return 0;
}

static uint64_t map_memory(const struct bpf_map *map)
{
	char path[64], line[128];
	auto_fclose FILE *file = NULL;
	unsigned long long bytes;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			return bytes;
	}
	return 0;
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

int map__mmap(const struct bpf_object *object, const char *name, size_t size, void **array)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		return -errno;
	*array = mapped;
	return 0;
}
