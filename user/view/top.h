/* SPDX-License-Identifier: BSD-2-Clause */
/* The live view: a table on the terminal. */
#ifndef TOP_H
#define TOP_H

#include "session/session.h"

struct top_options {
	double duration; /* seconds; 0: until q or a signal */
	double interval; /* seconds between two tables */
	bool merge;	 /* begin with programs, not processes */
};

/* Shows what a session with those options records. Returns 0, or -errno, having said why. */
int top__run(const struct session_options *recorded, const struct top_options *options);

#endif /* TOP_H */
