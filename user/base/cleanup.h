/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clean-up by scope, like systemd's: what a function owns is freed whichever way it returns. take()
 * hands it to another owner, and leaves nothing to free.
 */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE *const *stream)
{
	if (*stream)
		fclose(*stream);
}

#define auto_free   CLEANUP(cleanup_free)
#define auto_close  CLEANUP(cleanup_close)
#define auto_fclose CLEANUP(cleanup_fclose)

/* The pointer's value, which the caller owns from now on. */
#define take(pointer)                                  \
	({                                             \
		__typeof__(pointer) taken = (pointer); \
		(pointer) = NULL;                      \
		taken;                                 \
	})

#endif /* CLEANUP_H */
