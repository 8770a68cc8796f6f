// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/procfs.h"
#include "base/utf8.h"
#include "profile/mapped.h"

/* Names that a profile has; and that are told apart, as a process can make thousands. */
#define MOST_SHOWN 20
#define MOST_NAMES 4096

#define LOOK_SHARE 0.01

struct names {
	struct profile_mapped *of; /* their names are malloc'ed */
	size_t n;
	uint64_t rest; /* bytes of all others */
};

static void free_names(struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		free((char *)names->of[i].name);
	free(names->of);
}

static bool is_named(const struct profile_mapped *mapped, const char *name, bool shared)
{
	return mapped->shared == shared && !strcmp(mapped->name, name);
}

/* Adds what is resident of a mapping. Those of a file mostly follow each other. */
static int add(struct names *names, const struct proc_map *map, uint64_t bytes)
{
	bool shared = !map->is_private;
	auto_free char *name = utf8_from_str((const uint8_t *)map->path, strlen(map->path), 0);
	struct profile_mapped *more;

	if (!name)
		return -ENOMEM;
	if (names->n && is_named(&names->of[names->n - 1], name, shared)) {
		names->of[names->n - 1].bytes += bytes;
		return 0;
	}
	if (names->n == MOST_NAMES) {
		names->rest += bytes;
		return 0;
	}
	if (names->n % 64 == 0) {
		more = reallocarray(names->of, names->n + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		names->of = more;
	}
	names->of[names->n++] = (struct profile_mapped){name, bytes, shared};
	name = NULL;
	return 0;
}

/* Private pages, and anonymous mappings, are lines'. */
static uint64_t bytes_of(const struct proc_map *map, uint64_t rss, uint64_t anonymous)
{
	return !map->is_private ? rss : rss > anonymous ? rss - anonymous : 0;
}

static int read_names(FILE *smaps, struct names *names)
{
	uint64_t rss = 0, anonymous = 0;
	struct proc_map map = {0}, next;
	char line[8192];
	int err = 0;

	while (!err && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "Rss: %" SCNu64, &rss) == 1 ||
		    sscanf(line, "Anonymous: %" SCNu64, &anonymous) == 1) {
			continue;
		} else if (!strncmp(line, "VmFlags:", 8)) {
			/* The last line of each. */
			rss = bytes_of(&map, rss, anonymous) << 10;
			if (rss && map.path[0])
				err = add(names, &map, rss);
			rss = anonymous = 0;
		} else if (proc_map__parse(line, &next)) {
			map = next;
		}
	}
	return err;
}

static int compare_names(const void *a, const void *b)
{
	const struct profile_mapped *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->shared - y->shared;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct profile_mapped *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : compare_names(a, b);
}

/* Adds up what has the same name, and sorts by size. */
static void add_up(struct names *names)
{
	size_t i, n = 0;

	if (!names->n)
		return;
	qsort(names->of, names->n, sizeof(*names->of), compare_names);
	for (i = 0; i < names->n; i++) {
		if (n && is_named(&names->of[n - 1], names->of[i].name, names->of[i].shared)) {
			names->of[n - 1].bytes += names->of[i].bytes;
			free((char *)names->of[i].name);
		} else {
			names->of[n++] = names->of[i];
		}
	}
	names->n = n;
	qsort(names->of, n, sizeof(*names->of), compare_bytes);
}

/* Copies the largest into the profile. */
static int fill(struct profile *profile, struct profile_process *process, struct names *names)
{
	size_t shown = names->n < MOST_SHOWN ? names->n : MOST_SHOWN, i;

	process->mapped = profile__alloc(profile, shown, sizeof(*process->mapped));
	if (!process->mapped)
		return -ENOMEM;
	for (i = 0; i < names->n; i++) {
		if (i >= shown) {
			names->rest += names->of[i].bytes;
			continue;
		}
		process->mapped[i] = names->of[i];
		process->mapped[i].name = profile__string(profile, names->of[i].name);
		if (!process->mapped[i].name)
			return -ENOMEM;
	}
	process->nmapped = shown;
	process->mapped_rest_bytes = names->rest;
	return 0;
}

int mapped__load(struct profile *profile, struct profile_process *process,
		 struct process_info *info, bool is_last)
{
	double begin = clock_seconds(CLOCK_MONOTONIC);
	struct names names = {0};
	FILE *smaps;
	int err;

	if (process->state != PROCESS_RUNNING || (begin < info->mapped_due && !is_last))
		return 0;
	smaps = proc_smaps__open(process->pid);
	if (!smaps)
		return 0;
	err = read_names(smaps, &names);
	fclose(smaps);
	if (!err) {
		add_up(&names);
		err = fill(profile, process, &names);
	}
	free_names(&names);
	info->mapped_due = begin + (clock_seconds(CLOCK_MONOTONIC) - begin) / LOOK_SHARE;
	return err;
}
