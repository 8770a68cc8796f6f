/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HTTP server that answers GET requests from within an event loop, by libmicrohttpd: epoll, a
 * limit for everything that a client can use up, TLS.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

struct http_request;

struct http_response {
	unsigned int status; /* as in RFC 9110 */
	const char *type;    /* Content-Type */
	char *body;	     /* malloc'ed; taken over; NULL: the status's own words */
	size_t size;
	double later; /* more than 0: no answer yet; ask again in that many seconds */
};

/* Answers a request. 0, or -ENOMEM. */
typedef int (*http_handler)(void *context, struct http_request *request,
			    struct http_response *response);

/* The path, without the query, and a parameter of the query, NULL if it has none; decoded. */
const char *http_request__path(const struct http_request *request);
const char *http_request__parameter(const struct http_request *request, const char *name);

/* A header; NULL: it has none. */
const char *http_request__header(const struct http_request *request, const char *name);

/* What the handler wants to find again when it is asked again: freed by free_state() at the end. */
void **http_request__state(struct http_request *request);

struct http_options {
	const char *host, *port;	 /* where to listen */
	const char *certificate, *key;	 /* PEM files; NULL: without TLS */
	const char *token;		 /* a client must give it as a bearer; NULL: none */
	bool only_local;		 /* answers only under a local name */
	void (*free_state)(void *state); /* see http_request__state(); NULL: there is none */
};

struct http_server;

/* Listens. The loop and the strings outlive the server. 0 or -errno, having said why. */
int http_server__new(const struct http_options *options, struct loop *loop, http_handler handler,
		     void *context, struct http_server **server);

/* NULL is allowed. */
void http_server__free(struct http_server *server);

/* Does what is due: answers that were put off, and clients that have taken too long. Returns in how
 * many seconds to call it again at the latest. */
double http_server__run(struct http_server *server);

#endif /* HTTP_H */
