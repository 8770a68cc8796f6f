/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What recording costs the targets, where all is recorded: now and then, for a moment, the kernel
 * counts what the programs do; the rest of the time that would itself cost something at each probe.
 */
#ifndef COST_H
#define COST_H

#include "collect/tracer.h"
#include "profile/profile.h"

struct cost;

/* The tracer outlives it. NULL: out of memory. */
struct cost *cost__new(struct tracer *tracer);

/* NULL is allowed. */
void cost__free(struct cost *cost);

/* Begins and ends samples, whatever is due. */
void cost__step(struct cost *cost);

/* When the next step is due, by CLOCK_MONOTONIC. */
double cost__due(const struct cost *cost);

/* What was seen. */
struct profile_cost cost__describe(const struct cost *cost);

#endif /* COST_H */
