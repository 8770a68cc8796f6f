// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "collect/kept.h"
#include "collect/window.h"
#include "probes/trap_cost.h"
#include "session/windows.h"

/* A window in seconds; and the longest pause between two: something can be learned soon. */
#define LEAST_WINDOW 0.03
#define MOST_WINDOW  2.0
#define LEAST_PAUSE  0.001
#define MOST_PAUSE   60.0

/* Of a CPU: processes that take less are granted as much as if they took that. */
#define LEAST_RATE 0.1

/* Of the cost, opening and closing may be so much: else windows become longer. */
#define TOGGLE_SHARE 0.3

/* Of the CPU time in windows, the processes have at least that for themselves. */
#define LEAST_SHARE 0.01

/* A window in which the programs took less of the CPU time was hardly watched. */
#define LEAST_WATCHED 0.25

/* Less CPU time than that in a window does not tell anything. */
#define LEAST_CPU 0.0005

/* How far processes have come: CPU seconds, those of them in their own code, and what they do as
 * often as ever in their own work, whatever a probe costs: take new pages, and wait. */
struct progress {
	double all, user, faults, waits;
};

/* From so many on in windows, faults or waits tell how far the processes come there. */
#define ENOUGH 8

/* What the processes did between two windows. */
struct period {
	double cpu, faults, waits;
};

/* As many are remembered; of more, half are forgotten. */
#define MOST_PERIODS 256

struct windows {
	struct tracer *tracer;
	double budget, min_age;
	double trap; /* seconds */
	int stats;
	bool open;
	double begin, next;	  /* of the window, or of the pause; and its end */
	double length;		  /* of a window */
	double period_begin;	  /* end of the last window */
	double toggle;		  /* seconds that opening the present window took */
	struct program_time time; /* at the present window's begin */
	struct {
		pid_t pid;
		struct progress at_period, at_window;
	} cpu[MAX_PROCESSES];
	size_t n;
	/* In windows in which programs ran, and between windows; and what it all has cost. */
	struct progress watched, unwatched;
	double quiet; /* CPU seconds in windows in which programs hardly ran: a collection */
	struct period periods[MOST_PERIODS];
	size_t nperiods;
	double supposed_cost; /* of the windows that were watched, by the programs' own time */
	double start, window_seconds, cost_seconds;
};

/* False: it has ended. */
static bool read_progress(pid_t pid, struct progress *progress)
{
	progress->faults = (double)proc_minor_faults(pid);
	progress->waits = (double)proc_waits(pid);
	return clock_of_process(pid, USER_TIME, &progress->user) &&
	       clock_of_process(pid, ALL_TIME, &progress->all);
}

static void add_progress(struct progress *to, struct progress now, struct progress before)
{
	to->all += now.all - before.all;
	to->user += now.user - before.user;
	to->faults += now.faults - before.faults;
	/* Threads come and go. */
	to->waits += fmax(now.waits - before.waits, 0);
}

static void note_period(struct windows *windows, const struct progress *progress)
{
	size_t i;

	if (progress->all < LEAST_CPU)
		return;
	if (windows->nperiods == MOST_PERIODS) {
		for (i = 0; i < MOST_PERIODS / 2; i++)
			windows->periods[i] = windows->periods[2 * i];
		windows->nperiods = MOST_PERIODS / 2;
	}
	windows->periods[windows->nperiods++] =
		(struct period){progress->all, progress->faults, progress->waits};
}

/* Notes the processes' CPU time as a window begins, with all probes in place. 0 or -errno. */
static int begin_window(struct windows *windows)
{
	const struct collector_set *collectors = tracer__collectors(windows->tracer);
	const struct process_counters *processes;
	struct progress now, period = {0};
	size_t n, id;
	int err = 0;

	for (id = 0; !err && id < collectors->n; id++) {
		if (collectors->of[id]->kept)
			err = collector__begin_window(collectors->of[id]);
	}
	if (err)
		return err;
	processes = tracer__processes(windows->tracer, &n);
	for (id = 1; id < n; id++) {
		if (!processes[id].pid || processes[id].state != PROCESS_RUNNING ||
		    !read_progress(processes[id].pid, &now)) {
			windows->cpu[id].pid = 0;
			continue;
		}
		/* Of one that has just been met, nothing was missed that counts. */
		if (windows->cpu[id].pid != (pid_t)processes[id].pid)
			windows->cpu[id].at_period = now;
		else
			add_progress(&period, now, windows->cpu[id].at_period);
		windows->cpu[id].pid = processes[id].pid;
		windows->cpu[id].at_window = now;
	}
	add_progress(&windows->unwatched, period, (struct progress){0});
	note_period(windows, &period);
	windows->time = collectors__program_time(tracer__collectors(windows->tracer));
	windows->open = true;
	windows->begin = clock_seconds(CLOCK_MONOTONIC);
	windows->next = windows->begin + windows->length;
	return 0;
}

int windows__new(struct tracer *tracer, double max_overhead, double min_age,
		 struct windows **result)
{
	struct windows *windows = calloc(1, sizeof(*windows));
	int err;

	if (!windows)
		return -ENOMEM;
	windows->tracer = tracer;
	windows->budget = max_overhead;
	windows->min_age = min_age;
	windows->trap = trap_cost__measure() / 1e9;
	windows->length = LEAST_WINDOW;
	windows->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	/* That takes CAP_SYS_ADMIN; without, only the processes' own clocks and counts tell. */
	if (windows->stats < 0)
		log_detail("the kernel does not tell how long BPF programs run: %s",
			   strerror(-windows->stats));
	windows->start = windows->period_begin = clock_seconds(CLOCK_MONOTONIC);
	err = begin_window(windows);
	if (err) {
		log_error("the probes' maps cannot be emptied: %s", strerror(-err));
		windows__free(windows);
		return err;
	}
	*result = windows;
	return 0;
}

void windows__free(struct windows *windows)
{
	if (!windows)
		return;
	if (windows->stats >= 0)
		close(windows->stats);
	free(windows);
}

/* The processes' CPU time since the last window ended, and of it in this one. Begins the next
 * period. */
static void measure_cpu(struct windows *windows, struct progress *period, struct progress *window)
{
	struct progress now;
	size_t id;

	*period = *window = (struct progress){0};
	for (id = 1; id < MAX_PROCESSES; id++) {
		if (!windows->cpu[id].pid || !read_progress(windows->cpu[id].pid, &now))
			continue;
		add_progress(period, now, windows->cpu[id].at_period);
		add_progress(window, now, windows->cpu[id].at_window);
		windows->cpu[id].at_period = now;
	}
}

/* What the programs' runs since then have cost, as far as is known without the processes' clocks.
 */
static double supposed_cost(const struct windows *windows, struct program_time since)
{
	struct program_time now = collectors__program_time(tracer__collectors(windows->tracer));

	return program_time__seconds(program_time__since(now, since), windows->trap);
}

/* How often something happened in a period. */
struct rate {
	double cpu, times;
};

static int compare_rates(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return (x->times * y->cpu > y->times * x->cpu) - (x->times * y->cpu < y->times * x->cpu);
}

/*
 * How often something usually happens in a CPU second between windows: the mean of the middle half
 * of that time. A large table that grows brings more faults in one period than all others have, and
 * a collection of garbage none at all; windows rarely meet either.
 */
static double usual_rate(const struct windows *windows, bool faults)
{
	struct rate sorted[MOST_PERIODS] = {0};
	double all = 0, at = 0, cpu = 0, times = 0, part;
	const struct period *period;
	size_t i;

	for (i = 0; i < windows->nperiods; i++) {
		period = &windows->periods[i];
		sorted[i] = (struct rate){period->cpu, faults ? period->faults : period->waits};
		all += period->cpu;
	}
	qsort(sorted, windows->nperiods, sizeof(sorted[0]), compare_rates);
	for (i = 0; i < windows->nperiods; at += sorted[i++].cpu) {
		/* What of it is in the middle half. */
		part = fmin(at + sorted[i].cpu, 0.75 * all) - fmax(at, 0.25 * all);
		if (part <= 0)
			continue;
		cpu += part;
		times += sorted[i].times * part / sorted[i].cpu;
	}
	return cpu > 0 ? times / cpu : 0;
}

/*
 * The part of the processes' CPU time in watched windows that is their own, not the probes'. Where
 * they do something often enough to count it, by that. The clock of user time says more than is
 * true: a timer's tick that comes in a trap waits until its end.
 */
static double own_share(const struct windows *windows)
{
	const struct progress *in = &windows->watched;
	bool faults = in->faults >= in->waits;
	double times = faults ? in->faults : in->waits, usual = 0, share;

	if (in->all <= 0)
		return 1;
	if (times >= ENOUGH)
		usual = usual_rate(windows, faults);
	share = usual > 0 ? times / usual / in->all
			  : fmin(1 - windows->supposed_cost / in->all, in->user / in->all);
	return fmin(fmax(share, LEAST_SHARE), 1);
}

/* CPU seconds that the processes have taken for themselves, up to the end of the last window. */
static double own_time(const struct windows *windows)
{
	return windows->unwatched.all + windows->watched.all * own_share(windows) + windows->quiet;
}

/* What it all has cost so far, of what the processes have taken for themselves. */
static double overhead(const struct windows *windows)
{
	double own = fmax(own_time(windows), LEAST_RATE * (windows->begin - windows->start));

	return own > 0 ? windows->cost_seconds / own : 0;
}

/*
 * Plans the next window. cost: seconds that this one took from the targets, toggles of them for
 * opening and closing; rate: CPU seconds that the targets take in a second.
 */
static void plan(struct windows *windows, double cost, double toggles, double rate, double now)
{
	double pause = cost / windows->budget / fmax(rate, LEAST_RATE) - (now - windows->begin);

	/* What was too much is saved later. */
	if (windows->n > 2)
		pause *= fmax(overhead(windows) / windows->budget, 1);
	/* Cheap enough to leave on: all is watched but for a moment every two seconds. */
	if (pause <= LEAST_PAUSE)
		windows->length *= 2;
	else if (toggles > TOGGLE_SHARE * cost)
		windows->length *= 1.5;
	else if (toggles < TOGGLE_SHARE / 3 * cost)
		windows->length /= 1.5;
	windows->length = fmin(fmax(windows->length, LEAST_WINDOW), MOST_WINDOW);
	windows->next = now + fmin(fmax(pause, LEAST_PAUSE), MOST_PAUSE);
}

/* What was made in a window stands for what was made since the last one: by the processes' own
 * time, of which a window has less than its CPU time. How much less, is known better with each
 * window: so all that is the collectors' scale. */
static int take_window(struct windows *windows, struct progress period, struct progress window,
		       double own, double seconds)
{
	const struct collector_set *collectors = tracer__collectors(windows->tracer);
	double outside = fmax(period.all - window.all, 0), share = own_share(windows), weight;
	size_t i;
	int err = 0;

	/* Idle: only the time tells. */
	weight = window.all > LEAST_CPU
			 ? share * (outside / own + 1)
			 : (windows->begin + seconds - windows->period_begin) / seconds * share;
	for (i = 0; !err && i < collectors->n; i++) {
		if (!collectors->of[i]->kept)
			continue;
		err = collector__end_window(collectors->of[i], weight, outside + own);
	}
	return err;
}

static int end_window(struct windows *windows)
{
	double end = clock_seconds(CLOCK_MONOTONIC), closing, now, outside, rate, toggles, own,
	       rest, cost;
	struct progress period, window;
	struct program_time time;
	int err;

	measure_cpu(windows, &period, &window);
	cost = supposed_cost(windows, windows->time);
	if (windows->stats >= 0 && cost < LEAST_WATCHED * window.all) {
		own = window.all - cost;
		windows->quiet += own;
	} else {
		add_progress(&windows->watched, window, (struct progress){0});
		windows->supposed_cost += cost;
		own = window.all * own_share(windows);
	}
	time = collectors__program_time(tracer__collectors(windows->tracer));
	err = take_window(windows, period, window, own, end - windows->begin);
	/* The probes were there a little longer. */
	rest = supposed_cost(windows, time);
	closing = clock_seconds(CLOCK_MONOTONIC);
	tracer__pause(windows->tracer);
	now = clock_seconds(CLOCK_MONOTONIC);
	windows->toggle += now - closing;
	outside = windows->begin - windows->period_begin;
	rate = outside > 0.1 ? (period.all - window.all) / outside
			     : window.all / (end - windows->begin);
	/* Opening and closing only hold up processes that run. */
	toggles = windows->toggle * fmin(rate, 1);
	cost = window.all - own + rest + toggles;
	windows->n++;
	windows->window_seconds += end - windows->begin;
	windows->cost_seconds += cost;
	log_detail("window of %.1f ms: %.2f ms of CPU time, %.2f of them the probes', %.2f ms to "
		   "look, %.2f ms to open and close",
		   (end - windows->begin) * 1e3, window.all * 1e3, (window.all - own) * 1e3,
		   (closing - end) * 1e3, windows->toggle * 1e3);
	plan(windows, cost, toggles, rate, now);
	windows->open = false;
	windows->period_begin = windows->begin = end;
	return err;
}

static int open_window(struct windows *windows)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	int err = tracer__resume(windows->tracer);

	windows->toggle = clock_seconds(CLOCK_MONOTONIC) - begin;
	return err ? err : begin_window(windows);
}

int windows__step(struct windows *windows)
{
	const struct collector_set *collectors = tracer__collectors(windows->tracer);
	int err = 0;
	size_t i;

	if (clock_seconds(CLOCK_MONOTONIC) >= windows->next) {
		err = windows->open ? end_window(windows) : open_window(windows);
		if (err)
			log_error("a window cannot be %s: %s",
				  windows->open ? "evaluated" : "opened", strerror(-err));
	}
	for (i = 0; !err && i < collectors->n; i++) {
		if (collectors->of[i]->kept)
			err = collector__keep_up(collectors->of[i]);
	}
	return err;
}

double windows__due(const struct windows *windows)
{
	const struct collector_set *collectors = tracer__collectors(windows->tracer);
	double due = windows->next;
	size_t i;

	for (i = 0; i < collectors->n; i++) {
		if (collectors->of[i]->kept)
			due = fmin(due, kept__due(collectors->of[i]->kept));
	}
	return due;
}

void windows__estimate(struct windows *windows)
{
	const struct collector_set *collectors = tracer__collectors(windows->tracer);
	double share = own_share(windows);
	double total = own_time(windows);
	struct progress now;
	size_t i;

	/* And since the last window, unless one is open: up to that it is counted. */
	for (i = 1; !windows->open && i < MAX_PROCESSES; i++) {
		if (windows->cpu[i].pid && read_progress(windows->cpu[i].pid, &now))
			total += now.all - windows->cpu[i].at_period.all;
	}
	for (i = 0; i < collectors->n; i++) {
		if (collectors->of[i]->kept)
			kept__set_scale(collectors->of[i]->kept, 1 / share, total);
	}
}

struct profile_windows windows__describe(const struct windows *windows)
{
	return (struct profile_windows){
		.n = windows->n,
		.seconds = windows->window_seconds,
		.min_age = windows->min_age,
		.max_overhead = windows->budget,
		.overhead = overhead(windows),
	};
}
