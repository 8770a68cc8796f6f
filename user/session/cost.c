// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "collect/window.h"
#include "probes/trap_cost.h"
#include "session/cost.h"

/* Seconds of a sample, and from one to the next: a fortieth of the time. */
#define SAMPLE_SECONDS 0.05
#define PERIOD_SECONDS 2.0

/* What the targets and the programs have taken since some moment. */
struct usage {
	double seconds, cpu;
	struct program_time programs;
};

struct cost {
	struct tracer *tracer;
	double trap;	     /* seconds; 0: not measured yet */
	int stats;	     /* < 0: no sample is under way */
	double due;	     /* HUGE_VAL: the kernel does not tell */
	struct usage before; /* as the sample began */
	/* All samples, and the last one. */
	struct usage all, last;
};

struct cost *cost__new(struct tracer *tracer)
{
	struct cost *cost = calloc(1, sizeof(*cost));

	if (!cost)
		return NULL;
	cost->tracer = tracer;
	cost->stats = -1;
	cost->due = clock_seconds(CLOCK_MONOTONIC) + PERIOD_SECONDS / 4;
	return cost;
}

void cost__free(struct cost *cost)
{
	if (!cost)
		return;
	if (cost->stats >= 0)
		close(cost->stats);
	free(cost);
}

static struct usage read_usage(const struct cost *cost)
{
	struct usage usage = {.seconds = clock_seconds(CLOCK_MONOTONIC)};
	const struct process_counters *processes;
	double cpu;
	size_t n, id;

	processes = tracer__processes(cost->tracer, &n);
	for (id = 1; id < n; id++) {
		if (processes[id].pid && processes[id].state == PROCESS_RUNNING &&
		    clock_of_process(processes[id].pid, ALL_TIME, &cpu))
			usage.cpu += cpu;
	}
	usage.programs = collectors__program_time(tracer__collectors(cost->tracer));
	return usage;
}

static struct usage since(struct usage now, struct usage before)
{
	return (struct usage){
		.seconds = now.seconds - before.seconds,
		/* A process may have ended in the sample. */
		.cpu = fmax(now.cpu - before.cpu, 0),
		.programs = program_time__since(now.programs, before.programs),
	};
}

static void end_sample(struct cost *cost)
{
	cost->last = since(read_usage(cost), cost->before);
	cost->all.seconds += cost->last.seconds;
	cost->all.cpu += cost->last.cpu;
	cost->all.programs.traps += cost->last.programs.traps;
	cost->all.programs.others += cost->last.programs.others;
	cost->all.programs.nanoseconds += cost->last.programs.nanoseconds;
	close(cost->stats);
	cost->stats = -1;
	cost->due += PERIOD_SECONDS - SAMPLE_SECONDS;
}

static void begin_sample(struct cost *cost)
{
	cost->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (cost->stats < 0) {
		/* That takes CAP_SYS_ADMIN. */
		log_detail("the kernel does not tell how long BPF programs run: %s",
			   strerror(-cost->stats));
		cost->due = HUGE_VAL;
		return;
	}
	/* Not at the attach, which it would hold up; and not in a sample. */
	if (cost->trap <= 0)
		cost->trap = trap_cost__measure() / 1e9;
	cost->before = read_usage(cost);
	cost->due = cost->before.seconds + SAMPLE_SECONDS;
}

void cost__step(struct cost *cost)
{
	if (clock_seconds(CLOCK_MONOTONIC) < cost->due)
		return;
	if (cost->stats < 0)
		begin_sample(cost);
	else
		end_sample(cost);
}

double cost__due(const struct cost *cost)
{
	return cost->due;
}

/* The part of the targets' CPU time that is ours. */
static double share(const struct cost *cost, const struct usage *usage)
{
	double ours = program_time__seconds(usage->programs, cost->trap);

	return usage->cpu > 0 ? fmin(ours / usage->cpu, 1) : 0;
}

struct profile_cost cost__describe(const struct cost *cost)
{
	const struct usage *all = &cost->all;
	double seconds = all->seconds;

	/* One sample says nothing of a program that has hardly begun. */
	if (seconds < 1.5 * SAMPLE_SECONDS)
		return (struct profile_cost){0};
	return (struct profile_cost){
		.known = true,
		.traps_a_second = (double)all->programs.traps / seconds,
		.runs_a_second = (double)(all->programs.traps + all->programs.others) / seconds,
		.cpu_share = share(cost, all),
		.cpu_share_now = share(cost, &cost->last),
	};
}
