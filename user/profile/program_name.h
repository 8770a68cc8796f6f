/* SPDX-License-Identifier: BSD-2-Clause */
/* What to call the program that a process runs, the same on every host that runs it. */
#ifndef PROGRAM_NAME_H
#define PROGRAM_NAME_H

#include "profile/profile.h"

/* The unit of a service, without ".service"; else the script's name, "-m MODULE" or "-c"; else the
 * process's name. Printable UTF-8, malloc'ed; NULL if memory is short. */
char *program_name(const struct profile_process *process);

#endif /* PROGRAM_NAME_H */
