// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Mode heap: which sites' allocations are not freed yet. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "heap.bpf.h"
#include "lifecycle.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
