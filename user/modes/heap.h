/* SPDX-License-Identifier: BSD-2-Clause */
/* What mode objects takes from mode heap: blocks and mappings of libc's allocator. */
#ifndef HEAP_H
#define HEAP_H

#include <bpf/libbpf.h>

#include "profile/values.h"

struct config; /* pymemtop.h */
struct collector_options;

extern const struct schema heap_schema;

/* Sizes the maps of bpf/heap.bpf.h, before they are loaded, and tells the programs in config.
 * Returns 0 or -errno. */
int heap__size_maps(const struct bpf_object *object, struct config *config,
		    const struct collector_options *options);

#endif /* HEAP_H */
