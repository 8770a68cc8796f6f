/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for whichever comes first: readable descriptors, signals, or the time. */
#ifndef LOOP_H
#define LOOP_H

struct loop;

/* Called when a descriptor is readable. Returns 0, LOOP_LEAVE to end the wait, or -errno. */
typedef int (*loop_handler)(void *context);

#define LOOP_LEAVE 1

/* A loop whose waits also end when one of signals__catch()'s signals comes. 0 and the loop, which
 * the caller frees, or -errno. */
int loop__new(struct loop **loop);

/* NULL is allowed. */
void loop__free(struct loop *loop);

/* Calls the handler whenever fd is readable. The loop owns neither fd nor context. 0 or -errno. */
int loop__add(struct loop *loop, int fd, loop_handler handler, void *context);
void loop__remove(struct loop *loop, int fd);

/* Waits for at most that many seconds, and calls the handlers of readable descriptors. 0;
 * LOOP_LEAVE if a handler or a signal asks for it; or -errno. */
int loop__wait(struct loop *loop, double seconds);

#endif /* LOOP_H */
