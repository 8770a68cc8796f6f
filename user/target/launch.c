// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/procfs.h"
#include "base/signals.h"
#include "launch.skel.h"
#include "pymemtop.h"
#include "target/elffile.h"
#include "target/launch.h"
#include "target/target.h"

/* Processes that are held at one time. */
#define MOST_HELD 64

struct launch {
	struct launch_bpf *bpf;
	struct ring_buffer *ring;
	struct held_record held[MOST_HELD];
	size_t nheld;
	pid_t pid;
	pid_t python; /* the same, or a descendant */
	bool ended, released;
	int status;  /* as from wait(2) */
	int gate;    /* a byte lets the child exec; closing it without one forbids it */
	int failure; /* here the child says why it could not exec */
};

/* Runs in the child, which does nothing but exec when the gate opens. */
static void run_child(char **argv, int gate, int failure)
{
	ssize_t got;
	char byte;
	int err;

	/* If we are killed while it is held, it continues; what it started would not. */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	signal(SIGPIPE, SIG_DFL);
	do {
		got = read(gate, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(126);
	execvp(argv[0], argv);
	err = errno;
	if (write(failure, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

static int fork_child(struct launch *launch, char **argv)
{
	int gate[2], failure[2];

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(failure, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return -errno;
	}
	launch->pid = fork();
	if (!launch->pid) {
		close(gate[1]);
		run_child(argv, gate[0], failure[1]);
	}
	close(gate[0]);
	close(failure[1]);
	launch->gate = gate[1];
	launch->failure = failure[0];
	return launch->pid < 0 ? -errno : 0;
}

static void open_gate(struct launch *launch)
{
	if (write(launch->gate, "", 1) != 1)
		log_detail("the program to start is gone already");
}

/* What the programs report waits here until its turn comes: while one process is held at its entry,
 * others are at their exec. */
static int on_held(void *context, void *data, size_t size)
{
	struct launch *launch = context;
	const struct held_record *record = data;

	if (size < sizeof(*record))
		return 0;
	if (launch->nheld < MOST_HELD)
		launch->held[launch->nheld++] = *record;
	else
		kill(record->pid, SIGCONT);
	return 0;
}

/* Takes the first record of that kind, of that process if pid is not 0. */
static bool take_held(struct launch *launch, enum held_at where, pid_t pid, pid_t *taken)
{
	size_t i;

	for (i = 0; i < launch->nheld; i++) {
		if (launch->held[i].where == where && (!pid || (pid_t)launch->held[i].pid == pid)) {
			*taken = launch->held[i].pid;
			memmove(&launch->held[i], &launch->held[i + 1],
				(--launch->nheld - i) * sizeof(launch->held[0]));
			return true;
		}
	}
	return false;
}

/* The signal stops a process on its way out of the kernel. False: it has ended instead. */
static bool wait_stopped(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	char state;

	while ((state = proc_state(pid)) && state != 'Z' && state != 'X') {
		if (state == 'T' || state == 't')
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Waits until a process is held there: any, or that one. 0; -ECHILD: the program has ended; -ESRCH:
 * that one has; -EINTR: a signal asks us to end. */
static int wait_held(struct launch *launch, enum held_at where, pid_t pid, pid_t *held)
{
	while (!take_held(launch, where, pid, held)) {
		if (signals__caught())
			return -EINTR;
		if (waitpid(launch->pid, &launch->status, WNOHANG) == launch->pid) {
			launch->ended = true;
			return -ECHILD;
		}
		if (pid && !proc_state(pid))
			return -ESRCH;
		/* An end is noticed only now and then: that of a program that never was Python. */
		ring_buffer__poll(launch->ring, 50);
	}
	return wait_stopped(*held) ? 0 : -ESRCH;
}

/* Holds the process again at its program's entry, where its libraries are mapped. */
static int run_to_entry(struct launch *launch, pid_t pid)
{
	struct elf_file *elf;
	struct bpf_link *link;
	uint64_t offset;
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf = fd < 0 ? NULL : elf_file__new(fd);
	if (!elf || !elf_file__code_offset(elf, elf_file__entry(elf), &offset)) {
		elf_file__free(elf);
		return -ENOEXEC;
	}
	elf_file__free(elf);
	link = bpf_program__attach_uprobe(launch->bpf->progs.pymemtop_entry, false, pid, path,
					  offset);
	if (!link)
		return -errno;
	kill(pid, SIGCONT);
	err = wait_held(launch, HELD_AT_ENTRY, pid, &pid);
	bpf_link__destroy(link);
	return err;
}

static int say_ended(struct launch *launch, const char *name)
{
	int err;

	if (read(launch->failure, &err, sizeof(err)) == sizeof(err)) {
		log_error("%s cannot be started: %s", name, strerror(err));
		return -err;
	}
	log_error("%s ended, and neither it nor what it started became a CPython process", name);
	return -ENOEXEC;
}

/* Goes from exec to exec, until the program or what it has started is Python. */
static int find_python(struct launch *launch, const char *name)
{
	pid_t pid;
	int err;

	open_gate(launch);
	for (;;) {
		err = wait_held(launch, HELD_AT_EXEC, 0, &pid);
		if (!err)
			err = run_to_entry(launch, pid);
		if (!err && target__is_python(pid, NULL, false)) {
			launch->python = pid;
			return 0;
		}
		if (err == -ECHILD)
			return say_ended(launch, name);
		if (err == -EINTR)
			return err;
		/* One that ended, or is no ELF file that can be held, is none of ours. */
		if (err && err != -ESRCH)
			log_detail("process %d cannot be held at its start: %s", pid,
				   strerror(-err));
		kill(pid, SIGCONT);
	}
}

/* Execs are not held any more, and what is held but for the Python goes on. */
static void stop_holding(struct launch *launch)
{
	if (!launch->bpf)
		return;
	launch_bpf__detach(launch->bpf);
	if (launch->ring)
		ring_buffer__consume(launch->ring);
	while (launch->nheld)
		kill(launch->held[--launch->nheld].pid, SIGCONT);
	ring_buffer__free(launch->ring);
	launch->ring = NULL;
	launch_bpf__destroy(launch->bpf);
	launch->bpf = NULL;
}

/* Loads the programs, which hold the child and its descendants. */
static int watch_family(struct launch *launch)
{
	__u32 tgid = launch->pid;
	__u8 member = 1;
	int err =
		bpf_map_update_elem(bpf_map__fd(launch->bpf->maps.family), &tgid, &member, BPF_ANY);

	if (err)
		return err;
	launch->ring = ring_buffer__new(bpf_map__fd(launch->bpf->maps.held), on_held, launch, NULL);
	return launch->ring ? launch_bpf__attach(launch->bpf) : -errno;
}

int launch__new(char **argv, struct launch **result)
{
	struct launch *launch = calloc(1, sizeof(*launch));
	int err;

	if (!launch)
		return -ENOMEM;
	launch->gate = launch->failure = -1;
	launch->bpf = launch_bpf__open_and_load();
	err = launch->bpf ? fork_child(launch, argv) : -errno;
	if (!err)
		err = watch_family(launch);
	if (err)
		log_error("%s cannot be started under watch: %s", argv[0], strerror(-err));
	else
		err = find_python(launch, argv[0]);
	if (err) {
		launch__free(launch);
		return err;
	}
	stop_holding(launch);
	*result = launch;
	return 0;
}

pid_t launch__pid(const struct launch *launch)
{
	return launch->python;
}

void launch__release(struct launch *launch)
{
	launch->released = true;
	kill(launch->python, SIGCONT);
}

void launch__signal(struct launch *launch, int signal)
{
	if (!launch->ended)
		kill(launch->pid, signal);
}

int launch__wait(struct launch *launch)
{
	while (!launch->ended) {
		if (waitpid(launch->pid, &launch->status, 0) >= 0 || errno != EINTR)
			launch->ended = true;
		else if (signals__caught() != SIGINT) /* which the child got too */
			launch__signal(launch, signals__caught());
	}
	return WIFSIGNALED(launch->status) ? 128 + WTERMSIG(launch->status)
					   : WEXITSTATUS(launch->status);
}

void launch__free(struct launch *launch)
{
	if (!launch)
		return;
	if (!launch->released && launch->python > 0 && launch->python != launch->pid)
		kill(launch->python, SIGKILL);
	stop_holding(launch);
	if (launch->pid > 0 && !launch->ended && !launch->released) {
		kill(launch->pid, SIGKILL);
		waitpid(launch->pid, NULL, 0);
	}
	if (launch->gate >= 0)
		close(launch->gate);
	if (launch->failure >= 0)
		close(launch->failure);
	free(launch);
}
