/* SPDX-License-Identifier: BSD-2-Clause */
/* One part of a profile for each program, in place of one for each process: a server's workers are
 * one, with those that have ended. */
#ifndef MERGE_H
#define MERGE_H

#include "profile/profile.h"

/* Programs are told apart by their names (profile/program_name.h) and containers. Parts get their
 * lines in the given order. Not for modes whose lines have their callers' parts. 0 or -ENOMEM. */
int profile__merge_programs(struct profile *profile, enum line_order order);

#endif /* MERGE_H */
