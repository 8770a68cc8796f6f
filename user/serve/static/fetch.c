// SPDX-License-Identifier: BSD-2-Clause
/* In place of ../fetch.c where the program is linked statically: what TLS needs has no archives. */
#include <errno.h>
#include <stdio.h>

#include "serve/fetch.h"

int fetch(const struct fetch_options *options, const char *url, const char *const *form,
	  struct fetched *fetched, char *why, size_t size)
{
	(void)options;
	(void)url;
	(void)form;
	*fetched = (struct fetched){0};
	snprintf(why, size, "this is a static build, which cannot ask over HTTP");
	return -ENOTSUP;
}
