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
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/signals.h"
#include "launch.skel.h"
#include "target/elffile.h"
#include "target/launch.h"
#include "target/target.h"

struct launch {
	struct launch_bpf *bpf;
	pid_t pid;
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

	/* If we are killed while it is held, it continues. */
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

/* Waits until the child is held or has ended. -EINTR if a signal asks us to end. */
static int wait_held(struct launch *launch)
{
	do {
		while (waitpid(launch->pid, &launch->status, WUNTRACED) < 0) {
			if (errno != EINTR || signals__caught())
				return -errno;
		}
		launch->ended = !WIFSTOPPED(launch->status);
		/* Any other stop, such as by Ctrl-Z, is its own affair. */
	} while (!launch->ended && WSTOPSIG(launch->status) != SIGSTOP);
	return 0;
}

/* Holds the child again at its program's entry, where its libraries are mapped. */
static int run_to_entry(struct launch *launch)
{
	struct elf_file *elf;
	struct bpf_link *link;
	uint64_t offset;
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", launch->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf = fd < 0 ? NULL : elf_file__new(fd);
	if (!elf || !elf_file__code_offset(elf, elf_file__entry(elf), &offset)) {
		elf_file__free(elf);
		return -ENOEXEC;
	}
	elf_file__free(elf);
	link = bpf_program__attach_uprobe(launch->bpf->progs.pymemtop_entry, false, launch->pid,
					  path, offset);
	if (!link)
		return -errno;
	kill(launch->pid, SIGCONT);
	err = wait_held(launch);
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
	log_error("%s ended before it became a CPython process", name);
	return -ENOEXEC;
}

/* Goes from exec to exec, until the child is Python. */
static int find_python(struct launch *launch, const char *name)
{
	int err;

	open_gate(launch);
	for (;;) {
		err = wait_held(launch);
		if (!err && launch->ended)
			return say_ended(launch, name);
		if (!err)
			err = run_to_entry(launch);
		if (err) {
			if (err != -EINTR)
				log_error("%s cannot be held at its start: %s", name,
					  strerror(-err));
			return err;
		}
		if (launch->ended)
			return say_ended(launch, name);
		if (target__is_python(launch->pid, NULL, false))
			return 0;
		kill(launch->pid, SIGCONT);
	}
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
	if (!err) {
		launch->bpf->bss->child = launch->pid;
		launch->bpf->links.pymemtop_held =
			bpf_program__attach(launch->bpf->progs.pymemtop_held);
		err = launch->bpf->links.pymemtop_held ? 0 : -errno;
	}
	if (err)
		log_error("%s cannot be started under watch: %s", argv[0], strerror(-err));
	else
		err = find_python(launch, argv[0]);
	if (err) {
		launch__free(launch);
		return err;
	}
	/* Later execs are not held. */
	launch_bpf__destroy(launch->bpf);
	launch->bpf = NULL;
	*result = launch;
	return 0;
}

pid_t launch__pid(const struct launch *launch)
{
	return launch->pid;
}

void launch__release(struct launch *launch)
{
	launch->released = true;
	kill(launch->pid, SIGCONT);
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
	launch_bpf__destroy(launch->bpf);
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
