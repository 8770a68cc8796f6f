/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stack weighs in a picture of all of them. */
#ifndef WEIGHTS_H
#define WEIGHTS_H

#include "render/renderer.h"

int64_t weight__of(const struct schema *schema, const struct values *values, enum weight weight);

/* Of resident memory that is no line's, so that the sum is RssAnon; by blocks: its pages. */
int64_t weight__of_rest(const struct profile_rest *rest, enum weight weight);

#endif /* WEIGHTS_H */
