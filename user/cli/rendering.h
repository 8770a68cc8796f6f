/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of all commands that write a profile: the format, and where it goes. */
#ifndef RENDERING_H
#define RENDERING_H

#include <argp.h>

/* argp children, which fill in a struct options: the format; and whose code is the program's own.
 */
extern const struct argp rendering_argp, own_code_argp;

struct options;

/* Sets the renderer: of the format that is given, of the output's ending, of the mode, or the
 * default. 0, or -EINVAL, having said why. */
int rendering__choose(struct options *options);

/* Whether the format suits where it goes. 0, or -EINVAL, having said why. */
int rendering__check(const struct options *options);

#endif /* RENDERING_H */
