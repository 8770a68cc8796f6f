/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's verifier did to let a BPF object's programs pass. */
#ifndef VERIFIER_STATS_H
#define VERIFIER_STATS_H

#include <stdio.h>

#include <bpf/libbpf.h>

/* It refuses a program beyond a million instructions that it followed (BPF_COMPLEXITY_LIMIT_INSNS
 * in include/linux/bpf.h); other kernels follow more than this one. */
#define VERIFIER_LIMIT 1000000

struct verifier_stats;

/* NULL where memory is short. */
struct verifier_stats *verifier_stats__new(void);
void verifier_stats__free(struct verifier_stats *stats);

/* Has the kernel keep them of the programs that the object is going to load, which the stats
 * outlive. To be called before the load. 0 or -errno. */
int verifier_stats__ask(struct verifier_stats *stats, struct bpf_object *object);

/* The i-th program's name, and the instructions that were followed: -1 where the kernel did
 * not say. NULL past the last. */
const char *verifier_stats__get(const struct verifier_stats *stats, size_t i, long *instructions);

#endif /* VERIFIER_STATS_H */
