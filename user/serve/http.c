// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/http.h"

/* What clients can use up: connections, of one address; memory of each; and time. */
#define MOST_CONNECTIONS	64
#define MOST_CONNECTIONS_OF_ONE 32
#define CONNECTION_MEMORY	(32 << 10)
#define CONNECTION_SECONDS	20

struct http_server {
	struct http_options options;
	struct loop *loop;
	http_handler handler;
	void *context;
	struct MHD_Daemon *daemon;
	char *certificate, *key; /* contents */
	int epoll;		 /* the daemon's */
	struct http_request *waiting;
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	char *path;
	void *state;
	double due; /* of one that waits */
	struct http_request *next;
};

const char *http_request__path(const struct http_request *request)
{
	return request->path;
}

const char *http_request__parameter(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_request__header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void **http_request__state(struct http_request *request)
{
	return &request->state;
}

/* A host name, with or without a port: that of a page which is ours. */
static bool is_local_name(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	size_t i, length;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		length = strlen(names[i]);
		if (!strncasecmp(host, names[i], length) && (!host[length] || host[length] == ':'))
			return true;
	}
	return false;
}

/* In the same time whatever the client sent. */
static bool equals(const char *given, const char *wanted)
{
	size_t length = strlen(wanted), n = strlen(given), i;
	unsigned char differs = length != n;

	for (i = 0; i < n; i++)
		differs |= given[i] ^ wanted[length ? i % length : 0];
	return !differs;
}

/* Whether the request may be answered: else the status that says why not. A browser must not be led
 * here under another name (DNS rebinding). */
static unsigned int check_request(const struct http_request *request)
{
	const struct http_options *options = &request->server->options;
	const char *host = http_request__header(request, "Host");
	const char *bearer = http_request__header(request, "Authorization");

	if (options->token &&
	    (!bearer || strncasecmp(bearer, "Bearer ", 7) || !equals(bearer + 7, options->token)))
		return MHD_HTTP_UNAUTHORIZED;
	if (options->only_local && host && !is_local_name(host))
		return MHD_HTTP_FORBIDDEN;
	return 0;
}

static const char *words_of(unsigned int status)
{
	switch (status) {
	case MHD_HTTP_UNAUTHORIZED:
		return "401: this takes the token, as Authorization: Bearer TOKEN\n";
	case MHD_HTTP_FORBIDDEN:
		return "403: not under this name\n";
	case MHD_HTTP_NOT_FOUND:
		return "404: there is no such page; / lists what there is\n";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "405: only GET\n";
	case MHD_HTTP_BAD_REQUEST:
		return "400: a parameter cannot be understood\n";
	default:
		return "500: out of memory\n";
	}
}

static enum MHD_Result respond(struct MHD_Connection *connection,
			       const struct http_response *answer)
{
	const char *words = words_of(answer->status);
	struct MHD_Response *response =
		answer->body ? MHD_create_response_from_buffer(answer->size, answer->body,
							       MHD_RESPMEM_MUST_FREE)
			     : MHD_create_response_from_buffer(strlen(words), (void *)words,
							       MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type",
				answer->body ? answer->type : "text/plain; charset=utf-8");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Content-Security-Policy",
				"default-src 'self'; script-src 'self' 'unsafe-inline'; "
				"style-src 'self' 'unsafe-inline'; frame-ancestors 'self'");
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **own)
{
	struct http_server *server = context;
	struct http_request *request = *own;
	struct http_response response = {0};

	(void)version;
	(void)data;
	if (!request) {
		/* Only its headers are there. */
		request = calloc(1, sizeof(*request));
		if (!request)
			return MHD_NO;
		*request = (struct http_request){.server = server, .connection = connection};
		request->path = strdup(url);
		*own = request;
		return request->path ? MHD_YES : MHD_NO;
	}
	/* What a client sends is not looked at. */
	if (*size) {
		*size = 0;
		return MHD_YES;
	}
	response.status = strcmp(method, "GET") && strcmp(method, "HEAD")
				  ? MHD_HTTP_METHOD_NOT_ALLOWED
				  : check_request(request);
	if (response.status)
		return respond(connection, &response);
	response.status = MHD_HTTP_OK;
	if (server->handler(server->context, request, &response))
		response = (struct http_response){.status = MHD_HTTP_INTERNAL_SERVER_ERROR};
	if (response.later <= 0)
		return respond(connection, &response);
	request->due = clock_seconds(CLOCK_MONOTONIC) + response.later;
	request->next = server->waiting;
	server->waiting = request;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void remove_waiting(struct http_server *server, const struct http_request *request)
{
	struct http_request **at = &server->waiting;

	while (*at && *at != request)
		at = &(*at)->next;
	if (*at)
		*at = request->next;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own,
			 enum MHD_RequestTerminationCode why)
{
	struct http_server *server = context;
	struct http_request *request = *own;

	(void)connection;
	(void)why;
	if (!request)
		return;
	remove_waiting(server, request);
	if (request->state && server->options.free_state)
		server->options.free_state(request->state);
	free(request->path);
	free(request);
	*own = NULL;
}

static int on_readable(void *context)
{
	struct http_server *server = context;

	MHD_run(server->daemon);
	return 0;
}

double http_server__run(struct http_server *server)
{
	double now = clock_seconds(CLOCK_MONOTONIC), due = INFINITY;
	struct http_request *request, *next;
	MHD_UNSIGNED_LONG_LONG milliseconds;

	for (request = server->waiting; request; request = next) {
		next = request->next;
		if (request->due > now) {
			due = fmin(due, request->due - now);
			continue;
		}
		remove_waiting(server, request);
		MHD_resume_connection(request->connection);
	}
	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES)
		due = fmin(due, milliseconds / 1e3);
	return due;
}

/* 0 and the socket, or -errno, having said why. */
static int listen_at(const struct http_options *options, int *result)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *address;
	int err = getaddrinfo(options->host, options->port, &hints, &address), fd, one = 1;

	if (err) {
		log_error("--listen %s:%s: %s", options->host, options->port, gai_strerror(err));
		return -EINVAL;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, MOST_CONNECTIONS)) {
		err = -errno;
		log_error("cannot listen at %s:%s: %s", options->host, options->port,
			  strerror(-err));
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(address);
	*result = fd;
	return err;
}

/* Reads a small file. 0 or -errno, having said why. */
static int read_file(const char *path, char **text)
{
	FILE *file = fopen(path, "re");
	size_t size = 0, room = 64 << 10;
	bool is_read = false;

	*text = file ? calloc(1, room) : NULL;
	if (*text) {
		size = fread(*text, 1, room - 1, file);
		is_read = size && !ferror(file);
	}
	if (file)
		fclose(file);
	if (is_read)
		return 0;
	log_error("%s cannot be read, or is empty", path);
	return -EINVAL;
}

static int start_daemon(struct http_server *server, int fd)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
		{MHD_OPTION_END, 0, NULL},
	};
	const union MHD_DaemonInfo *info;

	if (server->certificate)
		flags |= MHD_USE_TLS;
	server->daemon =
		MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
				 fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MOST_CONNECTIONS,
				 MHD_OPTION_PER_IP_CONNECTION_LIMIT,
				 (unsigned int)MOST_CONNECTIONS_OF_ONE,
				 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_SECONDS,
				 MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
				 MHD_OPTION_ARRAY, server->certificate ? tls : tls + 2,
				 MHD_OPTION_END);
	if (!server->daemon) {
		close(fd);
		log_error("the HTTP server cannot be started%s",
			  server->certificate ? "; are the certificate and the key PEM files that "
						"belong together?"
					      : "");
		return -EINVAL;
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOTSUP;
	server->epoll = info->epoll_fd;
	return loop__add(server->loop, server->epoll, on_readable, server);
}

int http_server__new(const struct http_options *options, struct loop *loop, http_handler handler,
		     void *context, struct http_server **result)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int err = 0, fd = -1;

	if (!server)
		return -ENOMEM;
	*server = (struct http_server){*options, loop, handler, context, .epoll = -1};
	if (options->certificate)
		err = read_file(options->certificate, &server->certificate);
	if (!err && options->certificate)
		err = read_file(options->key, &server->key);
	if (!err)
		err = listen_at(options, &fd);
	if (!err)
		err = start_daemon(server, fd);
	if (err) {
		http_server__free(server);
		return err;
	}
	*result = server;
	return 0;
}

void http_server__free(struct http_server *server)
{
	struct http_request *request, *next;

	if (!server)
		return;
	for (request = server->waiting; request; request = next) {
		next = request->next;
		MHD_resume_connection(request->connection);
	}
	server->waiting = NULL;
	if (server->epoll >= 0)
		loop__remove(server->loop, server->epoll);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server->certificate);
	if (server->key)
		explicit_bzero(server->key, strlen(server->key));
	free(server->key);
	free(server);
}
