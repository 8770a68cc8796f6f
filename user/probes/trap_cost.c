// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "probes/trap_cost.h"

#define CALLS  2000
#define ROUNDS 3

/* Measured on several machines: 400 to 900. */
#define GUESS 700.0
#define LEAST 100.0
#define MOST  5000.0

/* Begins with an instruction that the kernel emulates, as the places of probes do. */
__attribute__((noinline, noclone)) static void trapped(void)
{
	__asm__ volatile("nop");
}

/* The offset of a function in our own file; 0: not found. */
static uint64_t own_offset(uint64_t address)
{
	auto_fclose FILE *maps = proc_maps__open(getpid());
	struct proc_map map;

	while (maps && proc_maps__next(maps, &map)) {
		if (address >= map.start && address < map.end)
			return map.offset + (address - map.start);
	}
	return 0;
}

static int open_uprobe(uint64_t offset)
{
	static const char path[] = "/proc/self/exe";
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.disabled = 1, /* as the targets' events are: it traps, and counts nothing */
		.config1 = (uintptr_t)path, /* uprobe_path */
		.config2 = offset,	    /* probe_offset */
	};
	bool has_type = file && fscanf(file, "%u", &attr.type) == 1;

	if (file)
		fclose(file);
	if (!has_type)
		return -1;
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static double time_calls(void)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	int i;

	for (i = 0; i < CALLS; i++)
		trapped();
	return (clock_seconds(CLOCK_MONOTONIC) - begin) / CALLS * 1e9;
}

double trap_cost__measure(void)
{
	void (*volatile function)(void) = trapped;
	auto_close int fd = open_uprobe(own_offset((uintptr_t)function));
	double least = MOST, took;
	int i;

	for (i = 0; fd >= 0 && i < ROUNDS; i++) {
		took = time_calls();
		least = took < least ? took : least;
	}
	if (fd < 0 || least < LEAST)
		least = GUESS;
	log_detail("a trap costs %.0f ns%s", least, fd < 0 ? ", supposedly" : "");
	return least;
}
