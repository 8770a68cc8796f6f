/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user is told besides what was asked for. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Whether log_detail() prints; set once, by --verbose. */
void log_set_verbose(bool on);

/* Where it goes, stderr at first; what is shown there must not be mixed with it. */
void log_set_stream(FILE *stream);

/* Prints "pymemtop: " and the message as one line: the one line that an error
 * gets, so only the place that knows what to do about it calls this. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether anything has been said so: a failure must not be silent. */
bool log_has_said(void);

/* The same, only with --verbose. */
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* LOG_H */
