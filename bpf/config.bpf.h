/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the loader tells the programs, and the numbers that they tell it. */
#ifndef CONFIG_BPF_H
#define CONFIG_BPF_H

#include "vmlinux.h"
#include "pymemtop.h"

const volatile struct config config;

struct numbers numbers = {
	.next_site = 1,
	.next_process = 1,
};

#endif /* CONFIG_BPF_H */
