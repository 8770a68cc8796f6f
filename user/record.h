/* SPDX-License-Identifier: BSD-2-Clause */
/* pymemtop record */
#ifndef RECORD_H
#define RECORD_H

#include "options.h"

/* Returns the exit status. */
int record__run(const struct options *options);

#endif /* RECORD_H */
