/* SPDX-License-Identifier: BSD-2-Clause */
/* Architecture-dependent facts: the ABI's here, the instructions' in placement.c, the registers'
 * names in usdt_args.c. */
#ifndef ARCH_H
#define ARCH_H

#include <elf.h>

#if defined(__x86_64__)

/* Whether pthread_self() equals the thread pointer; else it is below it, by the size of glibc's
 * struct pthread (THREAD_SELF in sysdeps/aarch64/nptl/tls.h). */
#define SELF_IS_THREAD_POINTER 1

#define ARCH_ELF_MACHINE EM_X86_64

#elif defined(__aarch64__)

#define SELF_IS_THREAD_POINTER 0

#define ARCH_ELF_MACHINE EM_AARCH64

#else
#error "unsupported architecture"
#endif

#endif /* ARCH_H */
