// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/kernel.h"
#include "probes/perf_event.h"

static int open_event(struct perf_event_attr *attr, pid_t thread)
{
	int fd = syscall(SYS_perf_event_open, attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int perf_event__open_own(uint64_t id, pid_t thread)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.disabled = 1,
	};

	return open_event(&attr, thread);
}

/* Sampling reads keep perf from swapping contexts: see keeper.h. */
int perf_event__open_inherited(uint64_t id, pid_t thread, bool follow)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.disabled = 1,
		.inherit = 1,
		.inherit_thread = !follow,
		.remove_on_exec = 1, /* do not slow down what is executed */
		.sample_type =
			feature__has(FEATURE_OWN_CONTEXTS) ? PERF_SAMPLE_READ | PERF_SAMPLE_TID : 0,
	};
	int fd = open_event(&attr, thread);

	if (fd != -EINVAL)
		return fd;
	/* Before 5.13. The BPF side ignores what does not belong to a target. */
	attr.inherit_thread = 0;
	attr.remove_on_exec = 0;
	return open_event(&attr, thread);
}
