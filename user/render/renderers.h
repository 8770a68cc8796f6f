/* SPDX-License-Identifier: BSD-2-Clause */
/* All renderers. The first is the default. */
#ifndef RENDERERS_H
#define RENDERERS_H

#include "render/renderer.h"

/* Returns the renderer with that name, or NULL. */
const struct renderer *renderer__find(const char *name);

/* Returns the i-th renderer, or NULL past the last. */
const struct renderer *renderer__get(size_t i);

#endif /* RENDERERS_H */
