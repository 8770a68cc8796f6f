/* SPDX-License-Identifier: BSD-2-Clause */
/* What a uprobe's trap costs on this machine, apart from the program that runs at it. */
#ifndef TRAP_COST_H
#define TRAP_COST_H

/* Nanoseconds, measured on a function of our own: some milliseconds of work. A guess where that
 * cannot be measured. */
double trap_cost__measure(void);

#endif /* TRAP_COST_H */
