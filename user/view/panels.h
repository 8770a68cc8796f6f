/* SPDX-License-Identifier: BSD-2-Clause */
/* What the live view shows: each draws a profile on the terminal, but for its last row. */
#ifndef PANELS_H
#define PANELS_H

#include "profile/profile.h"

/* Lines, by what they hold. */
void lines_panel__draw(const struct profile *profile);

/* Types of all objects that are alive, by growth, of all processes together. */
void types_panel__draw(const struct profile *profile);

#endif /* PANELS_H */
