/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end a recording, which is still reported then. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

/* From here on SIGINT, SIGTERM and SIGHUP are only noted, and SIGPIPE is an error
 * of the write. */
void interrupt__catch(void);

/* The signal that came last, 0 if none. */
int interrupt__signal(void);

#endif /* INTERRUPT_H */
