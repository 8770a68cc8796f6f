/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode heap: which line's allocations are still not freed? */
#ifndef HEAP_H
#define HEAP_H

#include "source.h"

extern const struct source_type heap_source;

#endif /* HEAP_H */
