/* SPDX-License-Identifier: BSD-2-Clause */
/* --explain-probes, in place of a command that observes. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

struct options;

/* Tells where the probes would be, and attaches nothing. The exit status. */
int explain__run(const struct options *options);

#endif /* EXPLAIN_H */
