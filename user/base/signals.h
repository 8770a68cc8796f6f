/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end a recording, which is still reported then. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* From here on SIGINT, SIGTERM and SIGHUP are only noted, and SIGPIPE is an error
 * of the write. */
void signals__catch(void);

/* The signal that came last, 0 if none. */
int signals__caught(void);

/* Can be read once a signal has been caught, and from then on: for a struct loop. -1 where
 * none are caught. */
int signals__fd(void);

#endif /* SIGNALS_H */
