/* SPDX-License-Identifier: BSD-2-Clause */
/* One line a stack, for flamegraph.pl, inferno and speedscope. */
#ifndef FOLDED_H
#define FOLDED_H

#include "render.h"

extern const struct renderer folded_renderer;

#endif /* FOLDED_H */
