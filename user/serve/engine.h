/* SPDX-License-Identifier: BSD-2-Clause */
/* Engines that store metrics and answer Prometheus's HTTP API: Prometheus, Thanos, VictoriaMetrics,
 * Mimir. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>
#include <stdio.h>

#include "serve/fetch.h"

struct engine {
	const char *url; /* before /api/v1 */
	struct fetch_options fetch;
	FILE *shows; /* each query is written there; NULL: none is */
};

/* What an answer's series are told apart by. Those that it does not have are "". */
enum engine_label {
	LABEL_PROGRAM,
	LABEL_FILE,
	LABEL_LINE,
	LABEL_FUNCTION,
	LABEL_MODE,
	LABEL_INSTANCE,
	ENGINE_LABELS,
};

struct engine_series {
	const char *labels[ENGINE_LABELS];
	double *values; /* at start + i * step; NaN: there is none */
};

struct engine_answer {
	size_t n;
	struct engine_series *series;
	size_t nvalues; /* of each */
	double start, step;
	void *tree, *more; /* what the labels are in */
};

/* Asks for values from start to end, seconds since 1970, one each step; with start equal to end for
 * one. 0 and the answer, which the caller frees, or -errno, having said why. */
int engine__query(const struct engine *engine, const char *query, double start, double end,
		  double step, struct engine_answer *answer);
void engine_answer__free(struct engine_answer *answer);

#endif /* ENGINE_H */
