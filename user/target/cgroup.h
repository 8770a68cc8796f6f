/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs a process, as the names of its control groups tell (cgroups(7)): systemd's unit; and
 * the container, as Docker, containerd, CRI-O, Podman, Kubernetes and systemd-nspawn name it.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* Each "" if there is none, and printable. */
struct cgroup {
	char path[512];	    /* of version 2, or else of systemd's hierarchy */
	char unit[96];	    /* "gunicorn.service" */
	char container[65]; /* 64 hexadecimal digits, or a machine's name */
	char pod[37];	    /* a Kubernetes pod's id, with dashes */
};

/* Of a process; all empty if it has ended. */
void cgroup__of_process(pid_t pid, struct cgroup *cgroup);

/* Takes the names from a path, which is in cgroup already. */
void cgroup__parse(struct cgroup *cgroup);

#endif /* CGROUP_H */
