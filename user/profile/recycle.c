// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/counters.h"
#include "collect/processes.h"
#include "profile/recycle.h"

/* Ended children that are still shown on their own, the last ones: a report of hundreds would not
 * be read. */
#define DEAD_KEPT 16

/* Sites of dead code come back when less than this part of all sites is left. */
#define SITES_LOW 2 /* a half */

/* New stacks before those that hold nothing are forgotten: 20 MiB or so. */
#define STACKS_AHEAD 32768

/* New code objects before we look for dead ones again. */
#define CODES_AHEAD 4096

struct recycler {
	struct tracer *tracer;
	struct stack_table *stacks;
	struct programs *programs;
	struct ledger ledgers[MOST_COLLECTORS];
	size_t nledgers;
	size_t next_stacks; /* from this many on, forget those that hold nothing */
	size_t next_codes;  /* from this many on, look for dead ones */
	bool *stale;	    /* by site: it was so at the last run, and nobody has found it since */
	size_t nstale;
};

struct recycler *recycler__new(struct tracer *tracer, struct stack_table *stacks,
			       struct programs *programs)
{
	struct recycler *recycler = calloc(1, sizeof(*recycler));

	if (!recycler)
		return NULL;
	recycler->tracer = tracer;
	recycler->stacks = stacks;
	recycler->programs = programs;
	recycler->next_codes = CODES_AHEAD;
	recycler->next_stacks = STACKS_AHEAD;
	return recycler;
}

void recycler__free(struct recycler *recycler)
{
	if (!recycler)
		return;
	free(recycler->stale);
	free(recycler);
}

static const struct ledger *end_of(const struct recycler *recycler)
{
	return recycler->ledgers + recycler->nledgers;
}

int recycler__add(struct recycler *recycler, const struct ledger *ledger)
{
	if (recycler->nledgers == MOST_COLLECTORS)
		return -E2BIG;
	recycler->ledgers[recycler->nledgers++] = *ledger;
	return 0;
}

/* Folds a site's counts into its stack's, and gives its number back. Returns 0 or -errno. */
static int fold_site(struct recycler *recycler, size_t site, size_t stack)
{
	const struct counters *numbers = tracer__counters(recycler->tracer);
	__u64 hash = stack_table__hash(recycler->stacks, site);
	const struct ledger *ledger;
	struct site_counters counters;
	struct values values;

	/* Its number is already in the queue, and nothing was counted under it. */
	if (!counters__has_site(numbers, site, hash)) {
		stack_table__forget_site(recycler->stacks, site);
		return 0;
	}
	for (ledger = recycler->ledgers; ledger < end_of(recycler); ledger++) {
		counters = collector__site(ledger->collector, site);
		values = values__of_counters(ledger->schema, &counters);
		values__add(ledger->schema, &ledger->folded->of[stack], &values);
	}
	stack_table__forget_site(recycler->stacks, site);
	return tracer__free_site(recycler->tracer, site, hash);
}

static int fold_sites_of(struct recycler *recycler, const bool *dead)
{
	const struct stack *stack;
	ssize_t index;
	size_t site;
	int err = 0;

	for (site = 1; !err && site < stack_table__site_count(recycler->stacks); site++) {
		index = stack_table__of_site(recycler->stacks, site);
		stack = index < 0 ? NULL : stack_table__get(recycler->stacks, index);
		if (stack && stack->process < MAX_PROCESSES && dead[stack->process])
			err = fold_site(recycler, site, index);
	}
	return err;
}

static int move_totals(struct recycler *recycler, size_t from, size_t to)
{
	const struct ledger *ledger;
	int err = 0;

	for (ledger = recycler->ledgers; !err && ledger < end_of(recycler); ledger++) {
		err = totals__reserve(ledger->folded, to + 1);
		if (!err)
			err = totals__reserve(ledger->before, to + 1);
		if (err)
			return err;
		totals__move(ledger->folded, ledger->schema, from, to);
		if (from < ledger->before->n)
			totals__move(ledger->before, ledger->schema, from, to);
	}
	return 0;
}

/* Moves dead processes' stacks to the ended processes of their programs. */
static int move_stacks_of(struct recycler *recycler, struct process_info *const *infos,
			  const bool *dead)
{
	size_t n = stack_table__count(recycler->stacks), i;
	const struct stack *stack;
	ssize_t to;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		stack = stack_table__get(recycler->stacks, i);
		if (!stack || stack->process >= MAX_PROCESSES || !dead[stack->process])
			continue;
		to = stack_table__move(recycler->stacks, i,
				       ENDED_OF(infos[stack->process]->program));
		err = to < 0 ? (int)to : move_totals(recycler, i, to);
	}
	return err;
}

/* Makes its children its parent's. */
static void orphan_children(struct recycler *recycler, struct process_info **infos, __u32 id)
{
	struct counters *counters = tracer__counters(recycler->tracer);
	const struct process_counters *processes;
	size_t n, i;

	processes = counters__processes(counters, &n);
	for (i = 1; i < n; i++) {
		if (infos[i] && infos[i]->parent == infos[id])
			infos[i]->parent = infos[id]->parent;
		if (processes[i].pid && processes[i].parent == id)
			counters__reparent(counters, i, processes[id].parent);
	}
}

static int fold_process(struct recycler *recycler, struct process_info **infos, __u32 id)
{
	const struct process_counters *processes;
	size_t n;

	processes = tracer__processes(recycler->tracer, &n);
	programs__add_ended(recycler->programs, infos[id]->program, &processes[id]);
	orphan_children(recycler, infos, id);
	code_objects__forget_process(stack_table__code_objects(recycler->stacks), id);
	process_info__free(infos[id]);
	infos[id] = NULL;
	return tracer__free_process(recycler->tracer, id);
}

/* Leaves out processes that the user named, which stay, and for now those that we know nothing
 * about. Returns how many are left. */
static size_t drop_named(struct process_info *const *infos, __u32 *ids, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (infos[ids[i]] && !infos[ids[i]]->named)
			ids[kept++] = ids[i];
	}
	return kept;
}

static int fold_batch(struct recycler *recycler, struct process_info **infos, const __u32 *ids,
		      size_t n)
{
	bool dead[MAX_PROCESSES] = {false};
	size_t i;
	int err;

	for (i = 0; i < n; i++)
		dead[ids[i]] = true;
	err = fold_sites_of(recycler, dead);
	if (!err)
		err = move_stacks_of(recycler, infos, dead);
	for (i = 0; !err && i < n; i++)
		err = fold_process(recycler, infos, ids[i]);
	return err;
}

static int fold_dead(struct recycler *recycler, struct process_info **infos)
{
	__u32 ids[MAX_PROCESSES];
	size_t n = processes__dead(tracer__record(recycler->tracer), DEAD_KEPT, ids, MAX_PROCESSES);

	n = drop_named(infos, ids, n);
	return n ? fold_batch(recycler, infos, ids, n) : 0;
}

static bool sites_are_short(const struct recycler *recycler)
{
	const struct counters *counters = tracer__counters(recycler->tracer);

	return counters__sites_left(counters) < counters__most_sites(counters) / SITES_LOW;
}

/* Whether the stack can no longer come under that number: one of its code objects has died since,
 * or one that shares its generation. It would come under another number now. */
static bool is_stale(const struct recycler *recycler, size_t site)
{
	const __u32 *generations = recycler->ledgers[0].collector->generations;
	const struct code_at *codes;
	size_t n, i;

	codes = stack_table__codes(recycler->stacks, site, &n);
	for (i = 0; i < n; i++) {
		if (*(volatile const __u32 *)&generations[CODE_SLOT(codes[i].address)] !=
		    codes[i].generation)
			return true;
	}
	return false;
}

static bool holds_nothing(const struct recycler *recycler, size_t site)
{
	const struct ledger *ledger;

	for (ledger = recycler->ledgers; ledger < end_of(recycler); ledger++) {
		if (!collector__site_is_empty(ledger->collector, site) ||
		    !collector__is_settled(ledger->collector, site))
			return false;
	}
	return true;
}

static int remember_stale(struct recycler *recycler, size_t n)
{
	bool *more;

	if (n <= recycler->nstale)
		return 0;
	more = reallocarray(recycler->stale, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + recycler->nstale, 0, (n - recycler->nstale) * sizeof(*more));
	recycler->stale = more;
	recycler->nstale = n;
	return 0;
}

/*
 * Folds sites that hold nothing and whose code died, in two steps: by the next run, a thread that
 * was about to count something there has done so.
 */
static int fold_stale(struct recycler *recycler)
{
	size_t n = stack_table__site_count(recycler->stacks), site;
	ssize_t stack;
	bool stale;
	int err = remember_stale(recycler, n);

	for (site = 1; !err && site < n; site++) {
		stack = stack_table__of_site(recycler->stacks, site);
		stale = stack >= 0 && holds_nothing(recycler, site) && is_stale(recycler, site);
		if (stale && recycler->stale[site])
			err = fold_site(recycler, site, stack);
		recycler->stale[site] = stale && !recycler->stale[site];
	}
	return err;
}

/* Whether the stack has no sites, so that folded is all it has, and holds nothing. */
static bool is_idle(const struct recycler *recycler, size_t stack)
{
	const struct ledger *ledger;

	if (!stack_table__get(recycler->stacks, stack) ||
	    stack_table__has_sites(recycler->stacks, stack))
		return false;
	for (ledger = recycler->ledgers; ledger < end_of(recycler); ledger++) {
		if (values__hold(ledger->schema, &ledger->folded->of[stack]))
			return false;
	}
	return true;
}

/* Forgets stacks that came once, under their own name, and hold nothing: only sums stay. */
static int forget_stacks(struct recycler *recycler)
{
	size_t n = stack_table__count(recycler->stacks), i;
	ssize_t to;
	int err = 0;

	if (stack_table__used(recycler->stacks) < recycler->next_stacks)
		return 0;
	for (i = 0; !err && i < n; i++) {
		if (!is_idle(recycler, i))
			continue;
		to = stack_table__forget(recycler->stacks, i);
		err = to < 0 ? (int)to : (size_t)to == i ? 0 : move_totals(recycler, i, to);
	}
	stack_table__sweep(recycler->stacks);
	recycler->next_stacks = stack_table__used(recycler->stacks) + STACKS_AHEAD;
	return err;
}

static bool is_alive(void *counters, __u32 process, __u64 address)
{
	return counters__has_code(counters, process, address);
}

static void forget_dead_codes(struct recycler *recycler)
{
	struct code_objects *codes = stack_table__code_objects(recycler->stacks);
	const struct code_life life = {is_alive, tracer__counters(recycler->tracer)};

	if (code_objects__count(codes) < recycler->next_codes)
		return;
	code_objects__forget_dead(codes, &life);
	/* Those that are dead now go at the next look: until then, look at every run. */
	if (code_objects__count(codes) < recycler->next_codes)
		recycler->next_codes = code_objects__count(codes) + CODES_AHEAD;
}

int recycler__run(struct recycler *recycler, struct process_info **infos)
{
	const struct ledger *ledger;
	int err = tracer__drain(recycler->tracer);

	for (ledger = recycler->ledgers; !err && ledger < end_of(recycler); ledger++)
		err = totals__reserve(ledger->folded, stack_table__count(recycler->stacks));
	if (!err)
		err = fold_dead(recycler, infos);
	if (!err && sites_are_short(recycler))
		err = fold_stale(recycler);
	if (!err)
		err = forget_stacks(recycler);
	forget_dead_codes(recycler);
	return err;
}

bool recycler__is_pressed(const struct recycler *recycler)
{
	return sites_are_short(recycler) || processes__are_short(tracer__record(recycler->tracer));
}
