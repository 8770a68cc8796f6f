/* SPDX-License-Identifier: BSD-2-Clause */
/* The command doctor: what works on this machine, what does not, why, and what helps. */
#ifndef DOCTOR_H
#define DOCTOR_H

/* Prints it. The exit status: 0 where all modes can be used. */
int doctor__run(void);

#endif /* DOCTOR_H */
