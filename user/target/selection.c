// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/procfs.h"
#include "target/cgroup.h"
#include "target/selection.h"

int selection__set_name(struct selection *selection, const char *regex)
{
	char why[128];
	int err;

	if (selection->has_name)
		regfree(&selection->name);
	selection->has_name = false;
	err = regcomp(&selection->name, regex, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &selection->name, why, sizeof(why));
		log_error("--name %s: %s", regex, why);
		return -EINVAL;
	}
	selection->has_name = true;
	return 0;
}

/* Reads the file, as a static program has no other lists of users (nsswitch.conf(5)). Returns
 * whether the name is in it. */
static bool find_user(const char *name, uid_t *user)
{
	auto_fclose FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;

	while (file && (entry = fgetpwent(file))) {
		if (strcmp(entry->pw_name, name) != 0)
			continue;
		*user = entry->pw_uid;
		return true;
	}
	return false;
}

int selection__set_user(struct selection *selection, const char *name)
{
	unsigned long number;
	char *end;

	selection->has_user = true;
	if (find_user(name, &selection->user))
		return 0;
	number = strtoul(name, &end, 10);
	if (end == name || *end || number >= (uid_t)-1) {
		log_error("--user %s: /etc/passwd has no such user; give a number", name);
		return -EINVAL;
	}
	selection->user = (uid_t)number;
	return 0;
}

void selection__clear(struct selection *selection)
{
	if (selection->has_name)
		regfree(&selection->name);
	selection->has_name = false;
}

bool selection__is_given(const struct selection *selection)
{
	return selection->has_name || selection->has_user || selection->unit ||
	       selection->container || selection->cgroup;
}

static bool begins_with(const char *text, const char *beginning)
{
	return !strncmp(text, beginning, strlen(beginning));
}

static bool fits_cgroup(const struct selection *selection, pid_t pid)
{
	struct cgroup cgroup;
	size_t n;

	cgroup__of_process(pid, &cgroup);
	if (selection->unit) {
		n = strlen(selection->unit);
		if (!begins_with(cgroup.unit, selection->unit) ||
		    (cgroup.unit[n] && strcmp(cgroup.unit + n, ".service") != 0))
			return false;
	}
	if (selection->container &&
	    (!cgroup.container[0] || !begins_with(cgroup.container, selection->container)))
		return false;
	if (selection->cgroup) {
		n = strlen(selection->cgroup);
		while (n && selection->cgroup[n - 1] == '/')
			n--;
		if (strncmp(cgroup.path, selection->cgroup, n) != 0 ||
		    (cgroup.path[n] && cgroup.path[n] != '/'))
			return false;
	}
	return true;
}

bool selection__takes(const struct selection *selection, pid_t pid)
{
	char cmdline[4096];

	if (selection->has_user && proc_user(pid) != selection->user)
		return false;
	if (selection->has_name && (proc_cmdline(pid, cmdline, sizeof(cmdline)) ||
				    regexec(&selection->name, cmdline, 0, NULL, 0)))
		return false;
	return (!selection->unit && !selection->container && !selection->cgroup) ||
	       fits_cgroup(selection, pid);
}
