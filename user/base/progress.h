/* SPDX-License-Identifier: BSD-2-Clause */
/* One line on a terminal that tells how far long work is, and goes when the work is over. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

/* Shows a line from now on, if stderr is a terminal. */
void progress_begin(void);

/* Something is at work, of which that many are done; total 0: nobody knows of how many. Cheap: the
 * line changes a few times a second at most, and only after a second of work. */
void progress_at(const char *what, uint64_t done, uint64_t total);

/* Takes the line away. */
void progress_end(void);

#endif /* PROGRESS_H */
