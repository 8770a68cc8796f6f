/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The loader's settings for the programs. */
#ifndef CONFIG_BPF_H
#define CONFIG_BPF_H

#include "vmlinux.h"
#include "pymemtop.h"

const volatile struct config config;

#endif /* CONFIG_BPF_H */
