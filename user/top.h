/* SPDX-License-Identifier: BSD-2-Clause */
/* pymemtop top: the live view. */
#ifndef TOP_H
#define TOP_H

#include "options.h"

/* Returns the exit status. */
int top__run(const struct options *options);

#endif /* TOP_H */
