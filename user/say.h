/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user is told on stderr. */
#ifndef SAY_H
#define SAY_H

#include <stdbool.h>

/* Whether say_detail() prints; set once, by --verbose. */
void say_details(bool on);

/* Prints "pymemtop: " and the message as one line: the one line that an error
 * gets, so only the place that knows what to do about it calls this. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, only with --verbose. */
void say_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* SAY_H */
