/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile that was saved as json (render/json.c). */
#ifndef LOAD_H
#define LOAD_H

#include <stdio.h>

#include "profile/profile.h"

/*
 * Reads one. 0 and the profile, which the caller frees, or -errno: -EINVAL with a reason in
 * why, of that many bytes, where it is not one that this version can read; it can be
 * anybody's file. What is saved again is the same.
 */
int profile__load(FILE *in, struct profile **profile, char *why, size_t size);

#endif /* LOAD_H */
