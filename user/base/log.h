/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the user besides the requested output. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Whether log_detail() prints; set once, by --verbose. */
void log_set_verbose(bool on);
bool log_is_verbose(void);

/* Where messages go; stderr at first. Change it while something else is shown there. */
void log_set_stream(FILE *stream);

/* Prints "pymemtop: " and the message as one line. An error gets just this one line, so only the
 * place that knows what to do about it calls this. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether log_error() has said anything: no failure may be silent. */
bool log_has_said(void);

/* Like log_error(), but it is no error: what the user should know. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, but only with --verbose. */
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* LOG_H */
