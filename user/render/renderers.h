/* SPDX-License-Identifier: BSD-2-Clause */
/* All renderers; the first is what a person gets who asks for none. */
#ifndef RENDERERS_H
#define RENDERERS_H

#include "render/renderer.h"

/* The one with that name, NULL if there is none. */
const struct renderer *renderer__find(const char *name);

/* The i-th, NULL past the last. */
const struct renderer *renderer__get(size_t i);

#endif /* RENDERERS_H */
