/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events of uprobes, by their id in tracefs. All stay disabled: opening them is what inserts
 * the breakpoints. */
#ifndef PERF_EVENT_H
#define PERF_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens an event for this thread alone. Returns a descriptor or -errno. */
int perf_event__open_own(uint64_t id, pid_t thread);

/* Opens an event that is inherited by what the thread creates: threads, and with follow processes.
 * Returns a descriptor or -errno. */
int perf_event__open_inherited(uint64_t id, pid_t thread, bool follow);

#endif /* PERF_EVENT_H */
