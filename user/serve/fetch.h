/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks an HTTP server, by libcurl. */
#ifndef FETCH_H
#define FETCH_H

#include <stddef.h>

struct fetch_options {
	const char *token; /* sent as a bearer; NULL: none */
	const char *ca;	   /* a PEM file of who to trust; NULL: the system's */
};

struct fetched {
	long status; /* as in RFC 9110 */
	char *body;  /* malloc'ed, terminated */
	size_t size;
};

/* Posts a form, a list of names and their values that ends with NULL. 0, or -errno and a reason in
 * why, which has size bytes. */
int fetch(const struct fetch_options *options, const char *url, const char *const *form,
	  struct fetched *fetched, char *why, size_t size);

#endif /* FETCH_H */
