// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/sources.h"

/* Seconds: /proc tells a process's start to a hundredth, and before it happened. */
#define START_SLACK 0.05

/* A file that was looked for, once for all profiles. */
struct known_file {
	char *name;
	struct source_text *text;     /* NULL: it cannot be read */
	struct def_ranges *functions; /* NULL: not asked for yet */
};

void known_files__free(struct known_file *files, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(files[i].name);
		source_text__free(files[i].text);
		def_ranges__free(files[i].functions);
	}
	free(files);
}

static struct known_file *find_known(const struct process_info *info, const char *name)
{
	size_t i;

	for (i = 0; i < info->nfiles; i++) {
		if (!strcmp(info->files[i].name, name))
			return &info->files[i];
	}
	return NULL;
}

/* Returns a file as the process sees it, read once. NULL if out of memory. */
static struct known_file *find_file(struct process_info *info, const char *name,
				    const struct read_permission *permission)
{
	struct known_file *known = find_known(info, name), *more;

	if (known)
		return known;
	more = reallocarray(info->files, info->nfiles + 1, sizeof(*more));
	if (!more)
		return NULL;
	info->files = more;
	more += info->nfiles;
	memset(more, 0, sizeof(*more));
	more->name = strdup(name);
	if (!more->name)
		return NULL;
	info->nfiles++;
	if (info->reader && permission->may_read(permission->context, info))
		more->text = source_text__new(info->reader, info->cwd, name);
	if (!more->text)
		more->text = permission->find_text(permission->context, info, name);
	return more;
}

/* For a child that has ended, only takes what was read for its parent, which ran it, too: the child
 * alone could name a file that it cannot read itself. */
static struct known_file *find_text(struct process_info *info, const char *name,
				    const struct read_permission *permission)
{
	struct known_file *found = find_file(info, name, permission);
	const struct process_info *parent;

	for (parent = info->parent; parent && !(found && found->text); parent = parent->parent)
		found = find_known(parent, name);
	return found && found->text ? found : NULL;
}

/* A file can have been replaced since the process read it: then its lines are others. */
static const struct location *find_misfit(const struct profile_process *process, size_t top,
					  const char *file, const struct source_text *text)
{
	const struct location *location;
	size_t i;

	for (i = 0; i < top; i++) {
		location = process->lines[i].location;
		if (location->file == file && location->line > 0 &&
		    !source_text__fits(text, location->function, location->line))
			return location;
	}
	return NULL;
}

/* Not "[native]", nor "<frozen os>"; and "<string>" may be any of many texts. */
static bool has_text(const char *file)
{
	return file[0] && file[0] != '[' &&
	       (file[0] != '<' ||
		(strncmp(file, "<frozen ", 8) != 0 && strcmp(file, "<string>") != 0));
}

int sources__load(struct profile *profile, struct profile_process *process,
		  struct process_info *info, const struct read_permission *permission, size_t top,
		  bool functions)
{
	struct known_file *found;
	const char *file;
	size_t i;

	if (top > process->nlines)
		top = process->nlines;
	process->files = profile__alloc(profile, top, sizeof(*process->files));
	if (!process->files)
		return -ENOMEM;
	for (i = 0; i < top; i++) {
		file = process->lines[i].location->file;
		if (!has_text(file) || profile_process__file(process, file))
			continue;
		found = find_text(info, file, permission);
		if (!found)
			continue;
		if (functions && !found->functions)
			found->functions = def_ranges__new(found->text);
		process->files[process->nfiles++] = (struct profile_file){
			.file = file,
			.is_newer = found->text->changed > info->started + START_SLACK,
			.misfit = find_misfit(process, top, file, found->text),
			.text = source_text__ref(found->text),
			.functions = functions ? def_ranges__ref(found->functions) : NULL,
		};
	}
	return 0;
}
