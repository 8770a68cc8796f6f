// SPDX-License-Identifier: BSD-2-Clause
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/procfs.h"
#include "profile/process_info.h"
#include "profile/sources.h"

static struct process_info *complete(struct process_info *info, const char *cmdline,
				     const char *cwd, pid_t pid)
{
	info->cmdline = strdup(cmdline);
	info->cwd = strdup(cwd);
	info->rss_at_attach = info->rss = proc_rss(pid);
	if (info->cmdline && info->cwd)
		return info;
	process_info__free(info);
	return NULL;
}

struct process_info *process_info__of_target(const struct target *target, __u32 program,
					     struct reader *reader)
{
	struct process_info *info = calloc(1, sizeof(*info));
	char cwd[PATH_MAX];

	if (!info)
		return NULL;
	strcpy(info->python, target->version);
	cgroup__of_process(target->pid, &info->cgroup);
	info->attribution = target->attribution;
	info->program = program;
	info->reader = reader;
	info->started = proc_started(target->pid);
	/* If it is not known, relative names are not found. */
	proc_cwd(target->pid, cwd, sizeof(cwd));
	return complete(info, target->cmdline, cwd, target->pid);
}

struct process_info *process_info__of_child(const struct process_info *parent, pid_t pid)
{
	struct process_info *info = malloc(sizeof(*info));
	char cmdline[4096];
	bool own;

	if (!info)
		return NULL;
	*info = *parent;
	info->parent = parent;
	info->named = false;
	info->mapped_due = 0;
	info->has_loaded = true;
	info->nfiles = 0;
	info->files = NULL;
	own = !proc_cmdline(pid, cmdline, sizeof(cmdline)) && cmdline[0];
	return complete(info, own ? cmdline : parent->cmdline, parent->cwd, pid);
}

void process_info__free(struct process_info *info)
{
	if (!info)
		return;
	known_files__free(info->files, info->nfiles);
	free(info->cmdline);
	free(info->cwd);
	free(info);
}
