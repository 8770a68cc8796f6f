/* SPDX-License-Identifier: BSD-2-Clause */
/* The command record, which other commands fall back on. */
#ifndef RECORD_H
#define RECORD_H

struct options;

/* Records, and writes the output. Returns the exit status, or -errno. */
int record__run(const struct options *options);

#endif /* RECORD_H */
