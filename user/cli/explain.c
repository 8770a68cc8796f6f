// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/options.h"
#include "probes/probe_points.h"
#include "target/target.h"

int explain__run(const struct options *options)
{
	struct probe_spec probes = options->modes[0]->collector->probes;
	const struct target_spec spec = {
		.attribution = options->attribution,
		.lines = options->modes[0]->needs_markers,
		.privates = probes.allocators,
		.images = options->images,
	};
	struct target *target;
	size_t i;
	int err = 0;

	probes.privates = probes.allocators;
	for (i = 0; !err && i < options->npids; i++) {
		err = target__new(options->pids[i], &spec, &target);
		if (err)
			return err;
		err = probe_points__explain(target, &probes, stdout);
		if (err)
			log_error("the code of process %d cannot be read: %s", options->pids[i],
				  strerror(-err));
		target__free(target);
	}
	return err ? err : fflush(stdout) ? -errno : 0;
}
