/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's verifier did to accept a BPF object's programs. */
#ifndef VERIFIER_STATS_H
#define VERIFIER_STATS_H

#include <stdio.h>

#include <bpf/libbpf.h>

/* The verifier refuses a program when it has followed a million instructions
 * (BPF_COMPLEXITY_LIMIT_INSNS in include/linux/bpf.h); other kernels follow more than this one. */
#define VERIFIER_LIMIT 1000000

struct verifier_stats;

/* NULL if memory is short. */
struct verifier_stats *verifier_stats__new(void);
void verifier_stats__free(struct verifier_stats *stats);

/* Makes the kernel keep statistics of the programs that the object will load; stats must outlive
 * them. Call it before loading. 0 or -errno. */
int verifier_stats__ask(struct verifier_stats *stats, struct bpf_object *object);

/* The i-th program's name, and the number of instructions followed: -1 if the kernel did not say.
 * NULL past the last. */
const char *verifier_stats__get(const struct verifier_stats *stats, size_t i, long *instructions);

#endif /* VERIFIER_STATS_H */
