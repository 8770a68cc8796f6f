// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "inspect/census_stream.h"
#include "inspect/inspected.h"
#include "session/looks.h"

/* Of a processor's time, what looks take. */
#define SHARE 0.01

/* Seconds between two rounds, at least; and after which a look is given up. */
#define LEAST_SECONDS 1.0
#define MOST_SECONDS  60.0

/* While we wait for a look, the loop is served that often. */
#define SERVE_MS 20

/* A process that was looked at. */
struct subject {
	pid_t pid;
	struct proc_life life;	    /* of what was looked at first */
	struct census *first, *now; /* first: NULL: there was one look */
	double first_at, now_at;
	char why[256]; /* the last look failed; "": it did not */
	bool is_known; /* to the session, in this round */
	bool is_running;
};

struct looks {
	struct tracer *tracer;
	struct loop *loop;
	struct images *images;
	struct subject *subjects;
	size_t n, room;
	size_t next;	  /* the subject that this round looks at next */
	double round_due; /* when the next round begins */
	double spent;	  /* processor time of this round, seconds */

	/* The look under way. */
	pid_t child; /* 0: none */
	int pidfd;
	FILE *result; /* the census's bytes, or what is wrong */
	double began;
};

struct looks *looks__new(struct tracer *tracer, struct loop *loop, struct images *images)
{
	struct looks *looks = calloc(1, sizeof(*looks));

	if (looks) {
		looks->tracer = tracer;
		looks->loop = loop;
		looks->images = images;
	}
	return looks;
}

static void clear_subject(struct subject *subject)
{
	census__free(subject->first);
	census__free(subject->now);
	memset(subject, 0, sizeof(*subject));
}

/*
 * In the process that looks.
 */

static int take_census(const struct looks *looks, pid_t pid, FILE *to)
{
	struct readers *readers = readers__new();
	const struct census_options types = {0};
	struct inspected process = {0};
	int err = -ENOMEM;

	if (readers)
		err = inspected__open_process(&process, pid, looks->images, readers);
	if (!err)
		err = inspected__look(&process, &types);
	if (!err)
		census_stream__write(process.now, to);
	inspected__clear(&process);
	readers__free(readers);
	return err;
}

/* The terminal is not ours: what is said becomes the result. */
static void look(const struct looks *looks, pid_t pid)
{
	int err, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	setpriority(PRIO_PROCESS, 0, 10);
	log_set_stream(looks->result);
	log_set_verbose(false);
	err = take_census(looks, pid, looks->result);
	if (fflush(looks->result))
		err = -EIO;
	_exit(err ? 1 : 0);
}

/*
 * In ours.
 */

static void begin_next(struct looks *looks);

/* Takes over what a look has found. */
static void take_result(struct looks *looks, struct subject *subject, bool succeeded)
{
	struct census *census = NULL;
	size_t length;

	rewind(looks->result);
	subject->why[0] = '\0';
	if (!succeeded) {
		length = fread(subject->why, 1, sizeof(subject->why) - 1, looks->result);
		subject->why[length] = '\0';
		subject->why[strcspn(subject->why, "\n")] = '\0';
		if (!length)
			snprintf(subject->why, sizeof(subject->why),
				 "the look did not come to an end");
		return;
	}
	if (census_stream__read(looks->result, &census)) {
		snprintf(subject->why, sizeof(subject->why), "out of memory");
		return;
	}
	if (subject->first) {
		census__free(subject->now);
	} else {
		subject->first = subject->now;
		subject->first_at = subject->now_at;
	}
	log_detail("process %d: %" PRIu64 " objects", subject->pid, census->count);
	subject->now = census;
	subject->now_at = looks->began;
}

static void close_look(struct looks *looks)
{
	if (looks->pidfd >= 0)
		close(looks->pidfd);
	fclose(looks->result);
	looks->result = NULL;
	looks->child = 0;
}

/* Ends the look under way, with its child's status. */
static int end_look(struct looks *looks, bool kills)
{
	struct rusage used;
	int status;

	if (kills)
		kill(looks->child, SIGKILL);
	loop__remove(looks->loop, looks->pidfd);
	while (wait4(looks->child, &status, 0, &used) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	looks->spent += used.ru_utime.tv_sec + used.ru_stime.tv_sec +
			(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	take_result(looks, &looks->subjects[looks->next - 1],
		    WIFEXITED(status) && !WEXITSTATUS(status));
	close_look(looks);
	return 0;
}

static int on_end(void *context)
{
	struct looks *looks = context;
	int err = end_look(looks, false);

	if (!err)
		begin_next(looks);
	return err;
}

/* Begins a look at a process. What we write before the fork must not be written twice. */
static int begin_look(struct looks *looks, struct subject *subject)
{
	int fd = memfd_create("pymemtop-census", MFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	looks->result = fdopen(fd, "w+");
	if (!looks->result) {
		close(fd);
		return -ENOMEM;
	}
	fflush(NULL);
	looks->began = clock_seconds(CLOCK_MONOTONIC);
	looks->child = fork();
	if (!looks->child)
		look(looks, subject->pid);
	looks->pidfd = looks->child > 0 ? (int)syscall(SYS_pidfd_open, looks->child, 0) : -1;
	err = looks->pidfd < 0 ? -errno : loop__add(looks->loop, looks->pidfd, on_end, looks);
	if (!err)
		return 0;
	if (looks->child > 0) {
		kill(looks->child, SIGKILL);
		waitpid(looks->child, NULL, 0);
	}
	close_look(looks);
	return err;
}

/* Whether it can be looked at. Another program than before is looked at for the first time. */
static bool is_there(struct subject *subject)
{
	struct proc_life life;
	pid_t pid = subject->pid;

	if (!subject->is_running || proc_life(pid, &life))
		return false;
	if (memcmp(&life, &subject->life, sizeof(life)) != 0) {
		clear_subject(subject);
		*subject =
			(struct subject){pid, .life = life, .is_known = true, .is_running = true};
	}
	return true;
}

/* Begins the round's next look; after the last one, tells when the next round is due. */
static void begin_next(struct looks *looks)
{
	struct subject *subject;
	int err;

	while (looks->next < looks->n) {
		subject = &looks->subjects[looks->next++];
		if (!is_there(subject))
			continue;
		err = begin_look(looks, subject);
		if (!err)
			return;
		snprintf(subject->why, sizeof(subject->why), "it cannot be looked at: %s",
			 strerror(-err));
	}
	looks->round_due =
		clock_seconds(CLOCK_MONOTONIC) + fmax(LEAST_SECONDS, looks->spent / SHARE);
}

static struct subject *find(const struct looks *looks, pid_t pid)
{
	size_t i;

	for (i = 0; i < looks->n; i++) {
		if (looks->subjects[i].pid == pid)
			return &looks->subjects[i];
	}
	return NULL;
}

static struct subject *find_or_add(struct looks *looks, pid_t pid)
{
	struct subject *found = find(looks, pid), *more;

	if (found)
		return found;
	if (looks->n == looks->room) {
		more = reallocarray(looks->subjects, looks->room ? 2 * looks->room : 8,
				    sizeof(*more));
		if (!more)
			return NULL;
		looks->subjects = more;
		looks->room = looks->room ? 2 * looks->room : 8;
	}
	looks->subjects[looks->n] = (struct subject){.pid = pid};
	return &looks->subjects[looks->n++];
}

static void forget_unknown(struct looks *looks)
{
	size_t i, kept = 0;

	for (i = 0; i < looks->n; i++) {
		if (looks->subjects[i].is_known)
			looks->subjects[kept++] = looks->subjects[i];
		else
			clear_subject(&looks->subjects[i]);
	}
	looks->n = kept;
}

static int begin_round(struct looks *looks)
{
	const struct process_counters *processes;
	struct subject *subject;
	size_t n, i;

	processes = tracer__processes(looks->tracer, &n);
	for (i = 0; i < looks->n; i++)
		looks->subjects[i].is_known = looks->subjects[i].is_running = false;
	for (i = 0; i < n; i++) {
		if (!processes[i].pid)
			continue;
		subject = find_or_add(looks, processes[i].pid);
		if (!subject)
			return -ENOMEM;
		subject->is_known = true;
		subject->is_running |= processes[i].state == PROCESS_RUNNING;
	}
	forget_unknown(looks);
	looks->spent = 0;
	looks->next = 0;
	begin_next(looks);
	return 0;
}

int looks__keep_up(struct looks *looks)
{
	double now = clock_seconds(CLOCK_MONOTONIC);
	int err = 0;

	if (looks->child && now - looks->began > MOST_SECONDS) {
		err = end_look(looks, true);
		if (!err)
			begin_next(looks);
	}
	if (!err && !looks->child && now >= looks->round_due)
		err = begin_round(looks);
	return err;
}

double looks__due(const struct looks *looks)
{
	return looks->child ? looks->began + MOST_SECONDS + 0.1 : looks->round_due;
}

int looks__take_round(struct looks *looks)
{
	int err = 0, signals = signals__count();
	struct pollfd end = {.events = POLLIN};

	if (looks->child)
		err = end_look(looks, true);
	if (!err)
		err = begin_round(looks);
	/* A signal that was caught before ends each wait of the loop at once. */
	while (err >= 0 && looks->child && signals__count() == signals) {
		end.fd = looks->pidfd;
		poll(&end, 1, SERVE_MS);
		err = loop__wait(looks->loop, 0);
		if (err >= 0 && clock_seconds(CLOCK_MONOTONIC) - looks->began > MOST_SECONDS)
			err = looks__keep_up(looks);
	}
	return err < 0 ? err : 0;
}

struct looked looks__of(const struct looks *looks, pid_t pid)
{
	const struct subject *subject = find(looks, pid);

	if (!subject)
		return (struct looked){0};
	return (struct looked){
		.first = subject->first ?: subject->now,
		.now = subject->now,
		.first_at = subject->first ? subject->first_at : subject->now_at,
		.now_at = subject->now_at,
		.why = subject->why[0] ? subject->why : NULL,
	};
}

void looks__free(struct looks *looks)
{
	size_t i;

	if (!looks)
		return;
	if (looks->child)
		end_look(looks, true);
	for (i = 0; i < looks->n; i++)
		clear_subject(&looks->subjects[i]);
	free(looks->subjects);
	free(looks);
}
