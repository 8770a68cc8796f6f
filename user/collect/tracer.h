/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collectors of one recording, and what they share: which processes are recorded, the numbers
 * of processes and sites, and the ring. Targets and collectors can be added at any time; each
 * collector records each target.
 */
#ifndef TRACER_H
#define TRACER_H

#include "collect/collector.h"
#include "collect/counters.h"
#include "target/target.h"

struct tracer;

/* NULL if memory is short. */
struct tracer *tracer__new(const struct record_sink *sink);

/* Sets the options of all collectors. Call it before opening the first. */
void tracer__configure(struct tracer *tracer, const struct collector_options *options);

/* Detaches and frees all. NULL is allowed. */
void tracer__free(struct tracer *tracer);

/* Loads a collector, which the tracer owns, and attaches it to the processes already recorded. name
 * tells it apart. 0 and the collector, or -errno, having said why. */
int tracer__open(struct tracer *tracer, const struct collector_type *type, const char *name,
		 struct collector **collector);

/*
 * Attaches the collectors, at least one, to n more targets at once. They are recorded when this
 * returns, with the ids written to ids. Takes over the targets, even if it fails. parent is the id
 * of the process that started them, 0 if that is not recorded. 0 or -errno, having said why.
 */
int tracer__attach(struct tracer *tracer, struct target *const *targets, size_t n, __u32 parent,
		   __u32 *ids);

/* Attaches the collectors to what a recorded process's target has to probe since. Errors are said,
 * and leave what was attached before as it is. */
void tracer__attach_more(struct tracer *tracer, __u32 id);

/* A descriptor, readable when the programs have sent something. */
int tracer__fd(const struct tracer *tracer);

/* Passes on all that the programs have sent. 0 or -errno. */
int tracer__drain(struct tracer *tracer);

/* Call this soon after new processes appear, and about once a second. 0 or -errno. */
int tracer__keep_up(struct tracer *tracer);

/* The processes' counters as they are now, by id from 1; n includes the unused [0]. Valid until the
 * tracer is freed, and cheap. */
const struct process_counters *tracer__processes(const struct tracer *tracer, size_t *n);

/* Takes all probes off the targets, and puts them on again: only if options.pauses. What they fork
 * and execute is followed all the time. tracer__resume(): 0 or -errno, having said why. */
void tracer__pause(struct tracer *tracer);
int tracer__resume(struct tracer *tracer);

/* For the recycler. */
const struct collector_set *tracer__collectors(const struct tracer *tracer);
struct counters *tracer__counters(struct tracer *tracer);
struct processes *tracer__record(struct tracer *tracer);

/* Frees a site, or the id of a process that has ended, for reuse: see counters__free_site() and
 * processes__forget(). 0 or -errno. */
int tracer__free_site(struct tracer *tracer, __u32 site, __u64 hash);
int tracer__free_process(struct tracer *tracer, __u32 id);

#endif /* TRACER_H */
