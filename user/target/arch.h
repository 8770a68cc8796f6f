/* SPDX-License-Identifier: BSD-2-Clause */
/* What depends on the architecture: of its ABI here, of its instructions in placement.c, of its
 * registers' names in usdt.c. */
#ifndef ARCH_H
#define ARCH_H

#if defined(__x86_64__)

/* Whether pthread_self() is the thread pointer; else it lies below it, by the size of glibc's
 * struct pthread (THREAD_SELF in sysdeps/aarch64/nptl/tls.h). */
#define SELF_IS_THREAD_POINTER 1

#elif defined(__aarch64__)

#define SELF_IS_THREAD_POINTER 0

#else
#error "unsupported architecture"
#endif

#endif /* ARCH_H */
