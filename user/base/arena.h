/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed all at once. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena;

/* NULL where memory is short. */
struct arena *arena__new(void);
void arena__free(struct arena *arena);

/* n elements of that size, all zero, aligned for any type; NULL where memory is short. Live as
 * long as the arena. */
void *arena__alloc(struct arena *arena, size_t n, size_t size);

/* A copy of length bytes, and a NUL. */
char *arena__copy(struct arena *arena, const char *bytes, size_t length);

#endif /* ARENA_H */
