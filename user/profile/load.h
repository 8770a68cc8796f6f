/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads a profile that was saved as json (render/json.c). */
#ifndef LOAD_H
#define LOAD_H

#include "base/json_source.h"
#include "profile/profile.h"

/*
 * Reads a profile. Returns 0 and the profile, which the caller frees, or -errno. The file can be
 * anybody's: if it is not one that this version can read, returns -EINVAL, with the reason in why,
 * which has size bytes. Saving the profile again gives the same file.
 */
int profile__load(struct json_source *source, struct profile **profile, char *why, size_t size);

#endif /* LOAD_H */
