/* SPDX-License-Identifier: BSD-2-Clause */
/* The report's table of files and shared memory that a process has mapped. */
#ifndef REPORT_MAPPED_H
#define REPORT_MAPPED_H

#include <stdio.h>

#include "profile/profile.h"

void report_mapped__put(const struct profile_process *process, FILE *out);

#endif /* REPORT_MAPPED_H */
