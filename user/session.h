/* SPDX-License-Identifier: BSD-2-Clause */
/* One recording: targets, an event source on them, and profiles made of it. */
#ifndef SESSION_H
#define SESSION_H

#include "modes/mode.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct session;

struct session_options {
	const struct mode *mode;
	struct collector_options collector;
	enum attribution attribution; /* 0: auto */
	const pid_t *pids;
	size_t npids;
	bool all;		     /* leave those of them out that cannot be recorded */
	struct images *images;	     /* likewise; NULL: each target has its own */
	const struct filter *filter; /* outlives the session */
	bool before_main;	     /* the processes have not reached main() yet */
};

/* Finds the targets and attaches. 0 and the session, or -errno, having said why. */
int session__new(const struct session_options *options, struct session **session);

/* Detaches, and frees. */
void session__free(struct session *session);

/* Takes in what comes, for that many seconds at most; earlier where a signal came
 * or all targets have ended. 0 or -errno, having said why. */
int session__wait(struct session *session, double seconds);

/* Seconds since the attach. */
double session__elapsed(const struct session *session);

/* Whether a target is still there to be recorded. */
bool session__is_alive(const struct session *session);

struct profile_options {
	enum line_order order;
	unsigned int sources_of; /* load the files of that many lines of each process */
	bool next;		 /* the next profile's increments begin here */
};

/*
 * The profile as it is now, with changes since the last one that was made with next set, or
 * since the attach. 0 and the profile, which the caller frees and which outlives the session,
 * or -errno, having said why.
 */
int session__profile(struct session *session, const struct profile_options *options,
		     struct profile **profile);

#endif /* SESSION_H */
