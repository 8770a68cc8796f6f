// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "books.h"
#include "heap.h"
#include "lines.h"
#include "probes.h"
#include "probing.h"
#include "processes.h"
#include "rss.h"
#include "say.h"
#include "source.h"

static const struct source_type *const types[] = {
	&heap_source,
	&rss_source,
	&lines_source,
};

const struct source_type *source_type__get(size_t i)
{
	return i < sizeof(types) / sizeof(types[0]) ? types[i] : NULL;
}

const struct source_type *source_type__find(const char *name)
{
	const struct source_type *type;
	size_t i;

	for (i = 0; (type = source_type__get(i)); i++) {
		if (!strcmp(type->name, name))
			return type;
	}
	return NULL;
}

void source_options__init(struct source_options *options)
{
	*options = (struct source_options){
		.max_frames = 64,
		.max_sites = 65536,
		.sample = 1,
		.follow = true,
	};
}

/* Each watched thread takes a descriptor for each probe. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max = 1 << 20;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			say_detail("the limit on open files stays: %s", strerror(errno));
	}
}

static int open_parts(struct source *source, struct stacks *stacks)
{
	int err = books__new(source->object, source->numbers, &source->options, stacks,
			     &source->books);

	if (err) {
		say_error("the BPF programs' maps cannot be read: %s", strerror(-err));
		return err;
	}
	err = probes__new(&source->probes);
	if (err)
		return err;
	source->processes = processes__new(source->object, source->numbers, source->books,
					   source->probes);
	return source->processes ? 0 : -ENOMEM;
}

int source__open(const struct source_type *type, const struct source_options *options,
		 struct stacks *stacks, struct source **result)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->type = type;
	source->options = *options;
	raise_file_limit();
	err = type->check ? type->check() : 0;
	if (err)
		goto fail;
	err = type->load(source);
	if (err) {
		say_error("the BPF programs cannot be loaded: %s; `pymemtop doctor` tells what works here, and "
			  "--verbose shows the kernel's log",
			  strerror(-err));
		goto fail;
	}
	err = open_parts(source, stacks);
	if (err)
		goto fail;
	*result = source;
	return 0;
fail:
	source__close(source);
	return err;
}

void source__close(struct source *source)
{
	if (!source)
		return;
	probes__free(source->probes);
	processes__free(source->processes);
	books__free(source->books);
	source->type->unload(source);
	free(source);
}

/* Every probe is in place before the first process is admitted, so nothing is seen by
 * halves. */
int source__attach(struct source *source, struct target *const *targets, size_t n)
{
	const struct source_type *type = source->type;
	struct probe_wish wish = type->wish;
	int err = processes__open(source->processes, targets, n);

	wish.at_entry = source->options.at_entry;
	if (!err)
		err = probing__attach(source->object, source->probes, targets, n, &wish,
				      source->options.follow);
	if (!err && type->attach)
		err = type->attach(source, targets, n);
	books__begin(source->books);
	if (!err)
		err = processes__admit(source->processes, targets, n);
	return !err && type->keep_up ? type->keep_up(source) : err;
}

int source__poll(struct source *source, int timeout_ms)
{
	int err = books__poll(source->books, timeout_ms), own;

	processes__keep_up(source->processes);
	own = source->type->keep_up ? source->type->keep_up(source) : 0;
	return err ? err : own;
}

const struct process_book *source__processes(const struct source *source, size_t *n)
{
	return books__processes(source->books, n);
}

int source__snapshot(struct source *source, struct snapshot **snapshot)
{
	return source->type->snapshot ? source->type->snapshot(source, snapshot) :
		books__snapshot(source->books, snapshot);
}
