/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF maps, seen from user space: their memory, and what dead processes leave in them. */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

/* All keys of a hash, in no order; if others delete some meanwhile, a key may be missing, or there
 * twice. 0, the keys, which the caller frees, and their number, or -ENOMEM. */
int map__keys(const struct bpf_map *map, void **keys, size_t *n);

/*
 * Deletes the dead processes' entries from a hash. shift is the position of the process's id in the
 * key; 0 if it is in the value, a struct mapping. dead has MAX_PROCESSES elements, by process id. 0
 * or -ENOMEM.
 */
int map__sweep(const struct bpf_map *map, int shift, const bool *dead);

/* The same for the slots of a block_table. 0 or -errno. */
int block_table__sweep(const struct bpf_map *map, const bool *dead);

/* Returns other than 0 to end the visit. */
typedef int (*map_visitor)(void *context, const void *key, const void *value);

/* Visits all elements of a hash, and the slots of a block_table. Returns 0, -errno, or what the
 * visitor has returned. visit NULL, of a block_table: empties it. */
int map__visit(const struct bpf_map *map, map_visitor visit, void *context);
int block_table__visit(const struct bpf_map *map, map_visitor visit, void *context);

/* Deletes all elements of a hash. 0 or -ENOMEM. */
int map__empty(const struct bpf_map *map);

/* Maps an array of the kernel's, of size bytes. 0 or -errno. */
int map__mmap(const struct bpf_object *object, const char *name, size_t size, void **array);

/* Bytes of kernel memory that the object's maps take, as the kernel counts it (memlock in
 * /proc/PID/fdinfo): from Linux 6.4 on for their present elements, before for all that they have
 * room for. Without task storage. */
uint64_t maps__memory(const struct bpf_object *object);

#endif /* BPF_MAPS_H */
