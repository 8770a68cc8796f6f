/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a census as bytes: from a process that takes it to the one that asked for it. */
#ifndef CENSUS_STREAM_H
#define CENSUS_STREAM_H

#include <stdio.h>

#include "inspect/census.h"

/* Writes the types and the sums, without holders. An error shows in the stream. */
void census_stream__write(const struct census *census, FILE *to);

/* Reads what was written. Returns 0 and the census, which the caller frees; -ENOMEM; or -EINVAL if
 * it was not written whole. */
int census_stream__read(FILE *from, struct census **census);

#endif /* CENSUS_STREAM_H */
