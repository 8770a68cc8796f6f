// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "parts.h"
#include "say.h"

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

void parts__say_not_loaded(int err)
{
	say_error("the BPF programs cannot be loaded: %s; --verbose shows the kernel's log",
		  strerror(-err));
}

int parts__open(struct parts *parts, const struct bpf_object *object, struct numbers *numbers,
		const struct source_options *options, struct stacks *stacks)
{
	int err;

	raise_file_limit();
	parts->object = object;
	err = books__new(object, numbers, options, stacks, &parts->books);
	if (err) {
		say_error("the BPF programs' maps cannot be read: %s", strerror(-err));
		return err;
	}
	err = probes__new(&parts->probes);
	if (err)
		return err;
	parts->processes = processes__new(object, numbers, parts->books, parts->probes);
	return parts->processes ? 0 : -ENOMEM;
}

void parts__close(struct parts *parts)
{
	probes__free(parts->probes);
	processes__free(parts->processes);
	books__free(parts->books);
}

int parts__attach(struct parts *parts, struct target *const *targets, size_t n,
		  const struct probe_wish *wish, bool follow)
{
	int err = processes__open(parts->processes, targets, n);

	return err ? err : probing__attach(parts->object, parts->probes, targets, n, wish, follow);
}

int parts__poll(struct parts *parts, int timeout_ms)
{
	int err = books__poll(parts->books, timeout_ms);

	processes__keep_up(parts->processes);
	return err;
}
