/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for whatever comes first: descriptors that can be read, signals, or the time. */
#ifndef LOOP_H
#define LOOP_H

struct loop;

/* Called when a descriptor can be read. 0, LOOP_LEAVE where the wait shall end, or -errno. */
typedef int (*loop_handler)(void *context);

#define LOOP_LEAVE 1

/* A loop that ends its waits when signals__catch()'s signals come. 0 and the loop, which the
 * caller frees, or -errno. */
int loop__new(struct loop **loop);

/* NULL is allowed. */
void loop__free(struct loop *loop);

/* Has the handler called when fd can be read. The loop owns neither. 0 or -errno. */
int loop__add(struct loop *loop, int fd, loop_handler handler, void *context);
void loop__remove(struct loop *loop, int fd);

/* Waits for that many seconds at most, and calls the handlers of what came. 0; LOOP_LEAVE
 * where one of them, or a signal, asks for it; or -errno. */
int loop__wait(struct loop *loop, double seconds);

#endif /* LOOP_H */
