/* SPDX-License-Identifier: BSD-2-Clause */
/* Renderer: memory_profiler's table, of mode lines. */
#ifndef TABLE_H
#define TABLE_H

#include "render.h"

extern const struct renderer table_renderer;

#endif /* TABLE_H */
