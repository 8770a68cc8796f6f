/* SPDX-License-Identifier: BSD-2-Clause */
/* What mode objects takes from mode heap: blocks and mappings of libc's allocator. */
#ifndef HEAP_H
#define HEAP_H

#include <bpf/libbpf.h>

#include "profile/values.h"

struct config; /* pymemtop.h */

extern const struct schema heap_schema;

/* Sizes the maps of bpf/heap.bpf.h, before they are loaded, and tells the programs in config. 0
 * blocks: as many as suit the kernel. Returns 0 or -errno. */
int heap__size_maps(const struct bpf_object *object, struct config *config,
		    unsigned int max_blocks);

#endif /* HEAP_H */
