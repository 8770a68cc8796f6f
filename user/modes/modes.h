/* SPDX-License-Identifier: BSD-2-Clause */
/* All modes. */
#ifndef MODES_H
#define MODES_H

#include "modes/mode.h"

/* The mode with that name, NULL if there is none. */
const struct mode *mode__find(const char *name);

/* The i-th mode, NULL past the last. */
const struct mode *mode__get(size_t i);

#endif /* MODES_H */
