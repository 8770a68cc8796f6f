/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end a recording, which is then still reported. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* From now on, SIGINT, SIGTERM and SIGHUP are only noted, and SIGPIPE is an error of the write. */
void signals__catch(void);

/* The last signal caught, 0 if none. */
int signals__caught(void);

/* How many have been caught: a second one may mean more than the first. */
int signals__count(void);

/* A descriptor for a struct loop, readable once a signal has been caught, and from then on. -1 if
 * none are caught. */
int signals__fd(void);

#endif /* SIGNALS_H */
