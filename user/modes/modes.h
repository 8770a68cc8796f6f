/* SPDX-License-Identifier: BSD-2-Clause */
/* All modes. */
#ifndef MODES_H
#define MODES_H

#include "modes/mode.h"

/* Returns the mode with that name, or NULL. */
const struct mode *mode__find(const char *name);

/* Returns the i-th mode, or NULL past the last. */
const struct mode *mode__get(size_t i);

#endif /* MODES_H */
