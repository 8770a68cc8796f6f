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

bool file__is_library(const struct own_code *code, const char *file)
{
	if (code && file__matches(file, code->libraries, code->nlibraries))
		return true;
	if (code && file__matches(file, code->files, code->nfiles))
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

bool location__is_own(const struct own_code *code, const struct location *location)
{
	return is_compiled_text(location) || !file__is_library(code, location->file);
}
