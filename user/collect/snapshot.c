// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>

#include "collect/snapshot.h"

struct snapshot *snapshot__new(size_t nprocesses, size_t nsites)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	snapshot->nprocesses = nprocesses;
	snapshot->nsites = nsites;
	snapshot->processes = calloc(nprocesses, sizeof(*snapshot->processes));
	snapshot->sites = calloc(nsites, sizeof(*snapshot->sites));
	if (!snapshot->processes || !snapshot->sites) {
		snapshot__free(snapshot);
		return NULL;
	}
	return snapshot;
}

void snapshot__free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	free(snapshot->processes);
	free(snapshot->types);
	free(snapshot->sites);
	free(snapshot);
}
