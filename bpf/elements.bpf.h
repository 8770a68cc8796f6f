/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Elements too large to build on a BPF stack. */
#ifndef ELEMENTS_BPF_H
#define ELEMENTS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* Returns the hash's element for the key. If there is none, makes one from the single, always zero
 * element of the array blanks. NULL if there is no room. */
static __always_inline void *element__make(void *hash, const void *key, void *blanks)
{
	void *element = bpf_map_lookup_elem(hash, key);
	__u32 zero = 0;
	const void *blank;

	if (element)
		return element;
	blank = bpf_map_lookup_elem(blanks, &zero);
	if (blank)
		bpf_map_update_elem(hash, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(hash, key);
}

#endif /* ELEMENTS_BPF_H */
