/* SPDX-License-Identifier: BSD-2-Clause */
/* One recording: targets that come and go, one or more modes, and profiles made of them. */
#ifndef SESSION_H
#define SESSION_H

#include "base/loop.h"
#include "modes/mode.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct session;

struct session_options {
	const struct mode *const *modes;
	size_t nmodes;
	struct collector_options collector;
	enum attribution attribution; /* 0: auto */
	const pid_t *pids;
	size_t npids;
	bool all; /* every CPython that can be recorded, including those that start later */
	const struct selection *selection; /* of all; outlives the session */
	struct images *images; /* outlives the session, as do all below; NULL: it has its own */
	const struct filter *filter;
	struct loop *loop;
	bool before_main;    /* the processes have not reached main() yet */
	double max_overhead; /* of the targets' CPU time, 0.01 for 1 %; 0: any */
	double min_age;	     /* then: seconds after which what lives is kept */
	bool no_sources;     /* no profile is asked for with sources */
	bool types; /* look at which objects are alive in the targets: session__see_types() */
};

/* Finds the targets and attaches. Returns 0 and the session, or -errno, having said why. */
int session__new(const struct session_options *options, struct session **session);

/* Detaches, and frees. */
void session__free(struct session *session);

/* Records one more mode from now on; does nothing if it is already recorded. Returns 0 or -errno,
 * having said why. */
int session__add_mode(struct session *session, const struct mode *mode);

/* Looks at which objects are alive in the targets from now on, at a hundredth of a processor's
 * time. Profiles have the last look's, and what changed since the first. Returns 0 or -errno,
 * having said why. */
int session__see_types(struct session *session);

/* Handles what comes, for that many seconds at most; stops earlier if a signal came, the loop was
 * left, or all targets have ended. Returns 0 or -errno, having said why. */
int session__wait(struct session *session, double seconds);

/* Seconds since the attach. */
double session__elapsed(const struct session *session);

/* Whether a target is still there to be recorded, or may still come. */
bool session__is_alive(const struct session *session);

struct profile_options {
	enum line_order order;
	unsigned int sources_of; /* load the files of this many lines of each process */
	bool next;		 /* the next profile's increments begin here */
	bool merge;		 /* one part for each program: see profile/merge.h */
	bool new_look;		 /* where types are seen: wait for one more look */
};

/*
 * Makes the current profile of a recorded mode, with changes since the last one that was made with
 * next set, or since the attach. Returns 0 and the profile, which the caller frees and which
 * outlives the session, or -errno, having said why.
 */
int session__profile(struct session *session, const struct mode *mode,
		     const struct profile_options *options, struct profile **profile);

#endif /* SESSION_H */
