/* SPDX-License-Identifier: BSD-2-Clause */
/* What a profile has that an earlier one of the same recording has not. */
#ifndef SUBTRACT_H
#define SUBTRACT_H

#include "profile/profile.h"

/* Takes from the stacks, and from what is no stack's, what they had before. What is less than it
 * was becomes negative. Lines stay as they are. 0 or -ENOMEM. */
int profile__subtract(struct profile *now, const struct profile *before);

#endif /* SUBTRACT_H */
