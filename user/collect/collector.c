// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "collect/collector.h"
#include "collect/counters.h"
#include "collect/processes.h"
#include "probes/attach.h"
#include "probes/uprobe_events.h"

void collector_options__init(struct collector_options *options)
{
	*options = (struct collector_options){
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
			log_detail("the limit on open files stays: %s", strerror(errno));
	}
}

static int open_parts(struct collector *collector, const struct record_sink *sink)
{
	int err = counters__new(collector->object, &collector->options, sink, &collector->counters);

	if (err) {
		log_error("the BPF programs' maps cannot be read: %s", strerror(-err));
		return err;
	}
	err = uprobe_events__new(&collector->probes);
	if (err)
		return err;
	collector->processes =
		processes__new(collector->object, collector->counters, collector->probes);
	return collector->processes ? 0 : -ENOMEM;
}

int collector__open(const struct collector_type *type, const struct collector_options *options,
		    const struct record_sink *sink, struct collector **result)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	int err;

	if (!collector)
		return -ENOMEM;
	collector->type = type;
	collector->options = *options;
	raise_file_limit();
	err = type->check ? type->check() : 0;
	if (err)
		goto fail;
	err = type->load(collector);
	if (err) {
		log_error(
			"the BPF programs cannot be loaded: %s; `pymemtop doctor` tells what works here, and "
			"--verbose shows the kernel's log",
			strerror(-err));
		goto fail;
	}
	err = open_parts(collector, sink);
	if (err)
		goto fail;
	*result = collector;
	return 0;
fail:
	collector__close(collector);
	return err;
}

void collector__close(struct collector *collector)
{
	if (!collector)
		return;
	uprobe_events__free(collector->probes);
	processes__free(collector->processes);
	counters__free(collector->counters);
	collector->type->unload(collector);
	free(collector);
}

/* Every probe is in place before the first process is admitted, so nothing is seen by
 * halves. */
int collector__attach(struct collector *collector, struct target *const *targets, size_t n)
{
	const struct collector_type *type = collector->type;
	struct probe_spec spec = type->probes;
	int err = processes__open(collector->processes, targets, n);

	spec.at_entry = collector->options.at_entry;
	if (!err)
		err = probes__attach(collector->object, collector->probes, targets, n, &spec,
				     collector->options.follow);
	if (!err && type->attach)
		err = type->attach(collector, targets, n);
	counters__begin(collector->counters);
	if (!err)
		err = processes__admit(collector->processes, targets, n);
	return !err && type->keep_up ? type->keep_up(collector) : err;
}

int collector__poll(struct collector *collector, int timeout_ms)
{
	int err = counters__poll(collector->counters, timeout_ms), own;

	processes__keep_up(collector->processes);
	own = collector->type->keep_up ? collector->type->keep_up(collector) : 0;
	return err ? err : own;
}

const struct process_counters *collector__processes(const struct collector *collector, size_t *n)
{
	return counters__processes(collector->counters, n);
}

int collector__snapshot(struct collector *collector, struct snapshot **snapshot)
{
	return collector->type->snapshot ? collector->type->snapshot(collector, snapshot)
					 : counters__snapshot(collector->counters, snapshot);
}

int collector__drain(struct collector *collector)
{
	return counters__drain(collector->counters);
}

int collector__free_site(struct collector *collector, __u32 site, __u64 hash)
{
	return counters__free_site(collector->counters, site, hash);
}

int collector__free_process(struct collector *collector, __u32 id)
{
	if (collector->type->forget)
		collector->type->forget(collector, id);
	return processes__forget(collector->processes, id);
}
