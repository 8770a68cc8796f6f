/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and shared memory that a process has mapped: what is resident of each, by name. */
#ifndef MAPPED_H
#define MAPPED_H

#include "profile/process_info.h"
#include "profile/profile.h"

/* Fills in those of a process that runs. A look takes the kernel as long as the process has pages:
 * it is left out while looks would take more than a hundredth of the time, unless it is the last
 * one. Returns 0, also if the process is gone, or -ENOMEM. */
int mapped__load(struct profile *profile, struct profile_process *process,
		 struct process_info *info, bool is_last);

#endif /* MAPPED_H */
