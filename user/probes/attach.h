/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts an event source's probes on its targets, and tells the programs how to know each
 * by its address (struct probe_table).
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <bpf/libbpf.h>

#include "probes/probe_points.h"
#include "probes/uprobe_events.h"

/*
 * Defines the probes of all targets, by their order: the program "pymemtop_enter" at the
 * points, and "pymemtop_leave", where the object has one, at the returns that they want; then
 * hangs the programs on them and watches the targets. Nothing happens yet where the
 * programs do not know the processes. 0 or -errno, having said why.
 */
int probes__attach(const struct bpf_object *object, struct uprobe_events *probes,
		   struct target *const *targets, size_t n, const struct probe_spec *spec,
		   bool follow);

#endif /* ATTACH_H */
