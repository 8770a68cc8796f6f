/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of all processes are meant. */
#ifndef SELECTION_H
#define SELECTION_H

#include <regex.h>
#include <stdbool.h>
#include <sys/types.h>

/* All zero: every process. */
struct selection {
	bool has_name, has_user;
	regex_t name;	       /* matches in the command line */
	uid_t user;	       /* real */
	const char *unit;      /* with or without ".service"; NULL: any */
	const char *container; /* its id or the beginning of it, or a machine's name */
	const char *cgroup;    /* a path at or above the process's */
};

/* Compiles a regular expression (extended). 0, or -EINVAL, having said what is wrong. */
int selection__set_name(struct selection *selection, const char *regex);

/* Takes a user's name or number. 0, or -EINVAL, having said what is wrong. */
int selection__set_user(struct selection *selection, const char *name);

void selection__clear(struct selection *selection);

/* Whether anything is asked for. */
bool selection__is_given(const struct selection *selection);

bool selection__takes(const struct selection *selection, pid_t pid);

#endif /* SELECTION_H */
