/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts an event source's probes on its targets, and tells the programs how to know each
 * by its address (struct probe_table).
 */
#ifndef PROBING_H
#define PROBING_H

#include <bpf/libbpf.h>

#include "probe_points.h"
#include "probes.h"

/*
 * Defines the probes of all targets, by their order: the program "enter" at the
 * points, and "leave", where the object has one, at the returns that they want; then
 * hangs the programs on them and watches the targets. Nothing happens yet where the
 * programs do not know the processes. 0 or -errno, having said why.
 */
int probing__attach(const struct bpf_object *object, struct probes *probes,
		    struct target *const *targets, size_t n, const struct probe_wish *wish,
		    bool follow);

#endif /* PROBING_H */
