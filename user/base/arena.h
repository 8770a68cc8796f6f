/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed all at once. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena;

/* NULL if memory is short. */
struct arena *arena__new(void);
void arena__free(struct arena *arena);

/* n elements of that size, all zero, aligned for any type; NULL if memory is short. They live as
 * long as the arena. */
void *arena__alloc(struct arena *arena, size_t n, size_t size);

/* A copy of length bytes, with a NUL added; NULL if memory is short. */
char *arena__copy(struct arena *arena, const char *bytes, size_t length);

#endif /* ARENA_H */
