// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "profile/own_code.h"

bool file__is_library(const char *file)
{
	return file[0] == '<' || file[0] == '[' || strstr(file, "/site-packages/") ||
	       strstr(file, "/dist-packages/") || strstr(file, "/lib/python3");
}
