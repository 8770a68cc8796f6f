// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "inspect/inspected.h"
#include "target/core_file.h"

static int describe(struct inspected *inspected)
{
	const struct target *target = inspected->target;

	inspected->pid = target->pid;
	memcpy(inspected->comm, target->comm, sizeof(inspected->comm));
	memcpy(inspected->version, target->version, sizeof(inspected->version));
	inspected->cmdline = strdup(target->cmdline);
	return inspected->cmdline ? 0 : -ENOMEM;
}

/* Whether the process still runs what it ran at the first look. */
static int check_life(struct inspected *inspected)
{
	struct proc_life life;

	if (proc_life(inspected->target->pid, &life)) {
		log_error("process %d has ended", inspected->target->pid);
		return -ESRCH;
	}
	if (inspected->now && memcmp(&life, &inspected->life, sizeof(life)) != 0) {
		log_error("process %d runs another program now", inspected->target->pid);
		return -ESRCH;
	}
	inspected->life = life;
	return 0;
}

int inspected__open_core(struct inspected *inspected, const char *path, const char *root)
{
	int err = core_file__new(path, root, &inspected->core);

	if (err)
		return err;
	inspected->rss = core_file__dumped_bytes(inspected->core);
	inspected->missing = core_file__missing_bytes(inspected->core);
	inspected->is_core = true;
	err = target__new(0, &(struct target_spec){.core = inspected->core}, &inspected->target);
	return err ? err : describe(inspected);
}

int inspected__open_process(struct inspected *inspected, pid_t pid, struct images *images,
			    struct readers *readers)
{
	const struct target_spec spec = {.images = images};
	int err = target__new(pid, &spec, &inspected->target);

	if (err)
		return err;
	if (proc_cwd(pid, inspected->cwd, sizeof(inspected->cwd)) ||
	    readers__find(readers, pid, &inspected->reader))
		inspected->reader = NULL;
	return describe(inspected);
}

int inspected__look(struct inspected *inspected, const struct census_options *options)
{
	struct census_options how = *options;
	double begin = clock_seconds(CLOCK_MONOTONIC);
	int err = inspected->core ? 0 : check_life(inspected);

	if (err)
		return err;
	how.reader = inspected->reader;
	how.cwd = inspected->cwd;
	census__free(inspected->first);
	inspected->first = inspected->now;
	inspected->now = NULL;
	progress_begin();
	err = census__take(inspected->target, &how, &inspected->now);
	progress_end();
	if (!inspected->core)
		inspected->rss = proc_rss(inspected->target->pid);
	inspected->seconds = clock_seconds(CLOCK_MONOTONIC) - begin;
	if (!err)
		log_detail("process %d: %" PRIu64 " objects", inspected->target->pid,
			   inspected->now->count);
	return err;
}

void inspected__clear(struct inspected *inspected)
{
	census__free(inspected->first);
	census__free(inspected->now);
	target__free(inspected->target);
	core_file__free(inspected->core);
	free(inspected->cmdline);
	memset(inspected, 0, sizeof(*inspected));
}

struct census_type inspected__growth(const struct inspected *inspected,
				     const struct census_type *type)
{
	return census__growth(inspected->first, type);
}

/* Finds a holder by path and type. Inner paths begin with the outer ones', but for what several
 * hold. */
static const struct holder *find(const struct holder *in, const struct holder *holder)
{
	const struct holder *found = NULL;
	size_t i;

	for (i = 0; !found && i < in->nholders; i++) {
		if (!strcmp(in->holders[i].path, holder->path) &&
		    !strcmp(in->holders[i].type, holder->type))
			return &in->holders[i];
	}
	for (i = 0; !found && i < in->nholders; i++)
		found = find(&in->holders[i], holder);
	return found;
}

int64_t inspected__holder_growth(const struct inspected *inspected, const struct holder *holder)
{
	const struct holder *before = inspected->first && inspected->first->holders
					      ? find(inspected->first->holders, holder)
					      : NULL;

	return holder->retained_bytes - (before ? before->retained_bytes : 0);
}
