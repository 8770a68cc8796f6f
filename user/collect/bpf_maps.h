/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF maps, seen from user space: their memory, and what the dead leave in them. */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

/* All keys of a hash, in no order; where others are deleted meanwhile, one can be
 * there twice, or not. 0, the keys, which the caller frees, and their number, or -ENOMEM. */
int map__keys(const struct bpf_map *map, void **keys, size_t *n);

/*
 * Deletes the dead processes' entries from a hash. shift: of the process's id in the
 * key; 0 where it is in the value, a struct mapping. dead: by process id,
 * MAX_PROCESSES of them. 0 or -ENOMEM.
 */
int map__sweep(const struct bpf_map *map, int shift, const bool *dead);

/* Maps an array of the kernel's, of that size. 0 or -errno. */
int map__mmap(const struct bpf_object *object, const char *name, size_t size, void **array);

/* Bytes of kernel memory that the object's maps take, as the kernel counts it
 * (memlock in /proc/PID/fdinfo): from Linux 6.4 on for what is in them, before for
 * what may come. Task storage is not in it. */
uint64_t maps__memory(const struct bpf_object *object);

#endif /* BPF_MAPS_H */
