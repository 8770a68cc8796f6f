/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic instructions that a kernel before 5.12 does not know. */
#ifndef ATOMICS_H
#define ATOMICS_H

/*
 * Such a kernel refuses a program for an unknown instruction even where the program never gets to
 * it (resolve_pseudo_ldimm64() in kernel/bpf/verifier.c: "BPF_STX uses reserved fields"). From
 * here on, those in uprobes' programs are loaded as instructions that do nothing, where this
 * kernel does not know them; config tells the programs not to get there. To be called before an
 * object is opened. 0 or -errno.
 */
int atomics__leave_out(void);

#endif /* ATOMICS_H */
