// SPDX-License-Identifier: BSD-2-Clause
#include <fnmatch.h>
#include <string.h>

#include "profile/own_code.h"

bool file__matches(const char *file, const char **patterns, size_t n)
{
	const char *slash = strrchr(file, '/');
	size_t i;

	for (i = 0; i < n; i++) {
		if (!fnmatch(patterns[i], file, 0) ||
		    (slash && !fnmatch(patterns[i], slash + 1, 0)))
			return true;
	}
	return false;
}

/* Letters of a package's name; scripts have hyphens where packages have underscores. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* Finds a file's outermost package among those that are installed. Returns the length of its name,
 * 0: it is in none. */
static size_t find_package(const char *file, const char **package)
{
	static const char *const folders[] = {"/site-packages/", "/dist-packages/"};
	const char *found = NULL;
	size_t i;

	for (i = 0; !found && i < sizeof(folders) / sizeof(folders[0]); i++) {
		found = strstr(file, folders[i]);
		*package = found ? found + strlen(folders[i]) : NULL;
	}
	return found ? strspn(*package, NAME_LETTERS) : 0;
}

static bool is_same_name(const char *word, const char *package, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if ((word[i] == '-' ? '_' : word[i]) != package[i])
			return false;
	}
	return true;
}

/* Whether a word of a command line names a package: "shop", "/usr/bin/shop", "shop.wsgi:app",
 * "--app=shop". */
static bool word_names(const char *word, size_t size, const char *package, size_t length)
{
	const char *end = word + size, *at = word;

	for (; at < end; at++) {
		if (*at == '/' || *at == '=')
			word = at + 1;
	}
	return (size_t)(end - word) >= length && is_same_name(word, package, length) &&
	       (word + length == end || strchr(".:", word[length]));
}

/* Whether it is of a package that the command line names. */
static bool is_named(const char *cmdline, const char *file)
{
	const char *package;
	size_t length = find_package(file, &package), size;

	for (; length && *cmdline; cmdline += size + strspn(cmdline + size, " ")) {
		size = strcspn(cmdline, " ");
		if (word_names(cmdline, size, package, length))
			return true;
	}
	return false;
}

bool file__is_library(const struct own_code *code, const char *cmdline, const char *file)
{
	if (code && file__matches(file, code->libraries, code->nlibraries))
		return true;
	if (code && file__matches(file, code->files, code->nfiles))
		return false;
	if (cmdline && is_named(cmdline, file))
		return false;
	return file[0] == '<' || file[0] == '[' || strstr(file, "/site-packages/") ||
	       strstr(file, "/dist-packages/") || strstr(file, "/lib/python3");
}

/* What is compiled at run time: python -c, exec(), a notebook's cells. Libraries make methods so,
 * such as a dataclass's __init__(). */
static bool is_compiled_text(const struct location *location)
{
	static const char *const names[] = {"<string>", "<stdin>", "<ipython-input-", "<cell"};
	const char *name = strrchr(location->function, '.');
	size_t i;

	name = name ? name + 1 : location->function;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strncmp(location->file, names[i], strlen(names[i])))
			return strncmp(name, "__", 2) != 0;
	}
	return false;
}

bool location__is_own(const struct own_code *code, const char *cmdline,
		      const struct location *location)
{
	return is_compiled_text(location) || !file__is_library(code, cmdline, location->file);
}
