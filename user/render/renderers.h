/* SPDX-License-Identifier: BSD-2-Clause */
/* All renderers. The first is the default. */
#ifndef RENDERERS_H
#define RENDERERS_H

#include "render/renderer.h"

/* Return the renderer with that name, or for files that end so, or NULL. */
const struct renderer *renderer__find(const char *name);
const struct renderer *renderer__of_file(const char *file);

/* Whether a file's name ends so. */
bool file__ends_with(const char *file, const char *ending);

/* Returns the i-th renderer, or NULL past the last. */
const struct renderer *renderer__get(size_t i);

#endif /* RENDERERS_H */
