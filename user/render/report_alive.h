/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a profile's report that tells which objects are alive. */
#ifndef REPORT_ALIVE_H
#define REPORT_ALIVE_H

#include "profile/profile.h"

/* top: rows. Nothing, if nobody asked for it. */
void report_alive__put(const struct profile_alive *alive, size_t top, FILE *out);

#endif /* REPORT_ALIVE_H */
