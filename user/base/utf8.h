/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes text from targets fit to be printed. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Converts a str's characters to UTF-8. They have kind bytes each (1: Latin-1, 2: UCS-2, 4: UCS-4;
 * 0: UTF-8 already). Characters that a terminal would act on, and what is no character (a lone
 * surrogate, which Python makes of undecodable file names; broken UTF-8), are written as Python's
 * repr() does: \x1b, \udc80. Returns a malloc'ed string, NULL if memory is short.
 */
char *utf8_from_str(const uint8_t *data, size_t size, unsigned int kind);

/* Replaces, in place, all but printable ASCII by question marks: for short names like a thread's,
 * which anyone may set to anything. */
void utf8_keep_ascii(char *text);

#endif /* UTF8_H */
