// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/procfs.h"
#include "base/utf8.h"
#include "target/cgroup.h"

#define CONTAINER_DIGITS 64
#define POD_DIGITS	 36

static bool ends_with(const char *text, size_t length, const char *ending)
{
	size_t n = strlen(ending);

	return length > n && !memcmp(text + length - n, ending, n);
}

/* A container's id is 64 digits, whatever stands around them: "docker-<id>.scope",
 * "cri-containerd-<id>.scope", "crio-<id>", "libpod-<id>.scope", or only the id. */
static bool take_container(struct cgroup *cgroup, const char *part, size_t length)
{
	size_t i, n = 0;

	for (i = 0; i < length; i++) {
		n = isxdigit((unsigned char)part[i]) ? n + 1 : 0;
		if (n != CONTAINER_DIGITS ||
		    (i + 1 < length && isxdigit((unsigned char)part[i + 1])))
			continue;
		memcpy(cgroup->container, part + i + 1 - n, n);
		cgroup->container[n] = '\0';
		return true;
	}
	return false;
}

/* "systemd-nspawn@NAME.service", "machine-NAME.scope". Blanks and dashes in names are escaped. */
static bool take_machine(struct cgroup *cgroup, const char *part, size_t length)
{
	static const char *const beginnings[] = {"systemd-nspawn@", "machine-"};
	const char *dot = memrchr(part, '.', length);
	size_t i, n;

	for (i = 0; dot && i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		n = strlen(beginnings[i]);
		if (length <= n || memcmp(part, beginnings[i], n) != 0 || dot < part + n)
			continue;
		snprintf(cgroup->container, sizeof(cgroup->container), "%.*s",
			 (int)(dot - part - n), part + n);
		return true;
	}
	return false;
}

/* "kubepods-burstable-pod<id>.slice", with underscores, or "pod<id>". */
static bool take_pod(struct cgroup *cgroup, const char *part, size_t length)
{
	const char *at = memmem(part, length, "pod", 3), *last = NULL;
	size_t i;

	for (; at; at = memmem(at + 1, length - (at + 1 - part), "pod", 3))
		last = at + 3;
	if (!last || length - (last - part) < POD_DIGITS)
		return false;
	for (i = 0; i < POD_DIGITS; i++) {
		if (!isxdigit((unsigned char)last[i]) && !strchr("-_", last[i]))
			return false;
		cgroup->pod[i] = last[i] == '_' ? '-' : last[i];
	}
	cgroup->pod[POD_DIGITS] = '\0';
	return true;
}

static void take_part(struct cgroup *cgroup, const char *part, size_t length)
{
	if (take_container(cgroup, part, length) || take_machine(cgroup, part, length) ||
	    take_pod(cgroup, part, length))
		return;
	/* The innermost service; a session's or a user's scope says less. */
	if (ends_with(part, length, ".service") ||
	    (ends_with(part, length, ".scope") && !cgroup->unit[0]))
		snprintf(cgroup->unit, sizeof(cgroup->unit), "%.*s", (int)length, part);
}

void cgroup__parse(struct cgroup *cgroup)
{
	const char *part = cgroup->path;
	size_t length;

	for (; *part; part += length) {
		part += strspn(part, "/");
		length = strcspn(part, "/");
		take_part(cgroup, part, length);
	}
}

/* Lines are "number:controllers:path"; version 2's has no controllers. */
void cgroup__of_process(pid_t pid, struct cgroup *cgroup)
{
	auto_fclose FILE *file = proc_cgroup__open(pid);
	char line[1024], *path;

	memset(cgroup, 0, sizeof(*cgroup));
	while (file && fgets(line, sizeof(line), file)) {
		path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		/* Of version 1 systemd's own comes first, and version 2's is empty beside it. */
		if ((!strncmp(line, "0::", 3) && strcmp(path, ":/") != 0) ||
		    (strstr(line, ":name=systemd:") && !cgroup->path[0]))
			snprintf(cgroup->path, sizeof(cgroup->path), "%s", path + 1);
	}
	utf8_keep_ascii(cgroup->path);
	cgroup__parse(cgroup);
}
