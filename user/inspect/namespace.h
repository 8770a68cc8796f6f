/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dict of attributes has under a name: that of a module, or of a class. */
#ifndef NAMESPACE_H
#define NAMESPACE_H

#include "inspect/reach.h"

/* Visits the first entries whose keys are texts, up to most of all; ends when the visitor returns
 * false. key lives as long as the call. */
void namespace__visit(const struct heap *heap, uint64_t dict, size_t most,
		      bool (*visit)(void *context, const char *key, uint64_t value), void *context);

/* The address of the value, among the first most entries; 0: there is none. namespace__value()
 * looks at those that every module, and every class, begins with. */
uint64_t namespace__find(const struct heap *heap, uint64_t dict, size_t most, const char *key);
uint64_t namespace__value(const struct heap *heap, uint64_t dict, const char *key);

/* A module's dict; 0: none. */
uint64_t module__dict(const struct heap *heap, uint64_t module);

#endif /* NAMESPACE_H */
