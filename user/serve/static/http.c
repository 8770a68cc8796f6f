// SPDX-License-Identifier: BSD-2-Clause
/* In place of ../http.c where the program is linked statically: what TLS needs has no archives. */
#include <errno.h>
#include <math.h>
#include <stddef.h>

#include "base/log.h"
#include "serve/http.h"

const char *http_request__path(const struct http_request *request)
{
	(void)request;
	return "";
}

const char *http_request__parameter(const struct http_request *request, const char *name)
{
	(void)request;
	(void)name;
	return NULL;
}

const char *http_request__header(const struct http_request *request, const char *name)
{
	(void)request;
	(void)name;
	return NULL;
}

void **http_request__state(struct http_request *request)
{
	static void *none;

	(void)request;
	return &none;
}

int http_server__new(const struct http_options *options, struct loop *loop, http_handler handler,
		     void *context, struct http_server **server)
{
	(void)options;
	(void)loop;
	(void)handler;
	(void)context;
	(void)server;
	log_error(
		"this is a static build, which has no HTTP server: build pymemtop from source, or "
		"install your distribution's package");
	return -ENOTSUP;
}

void http_server__free(struct http_server *server)
{
	(void)server;
}

double http_server__run(struct http_server *server)
{
	(void)server;
	return INFINITY;
}
