/* SPDX-License-Identifier: BSD-2-Clause */
/* --explain-probes, which replaces a command that observes. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

struct options;

/* Prints where the probes would be, and attaches none. Returns 0 or -errno. */
int explain__run(const struct options *options);

#endif /* EXPLAIN_H */
