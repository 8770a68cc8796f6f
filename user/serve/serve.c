// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/procfs.h"
#include "base/rights.h"
#include "base/signals.h"
#include "page.html.h"
#include "profile/program_name.h"
#include "profile/subtract.h"
#include "render/renderers.h"
#include "serve/metrics.h"
#include "serve/serve.h"

/* Requests within that time get the same profile. */
#define FRESH_SECONDS 1.0

/* Seconds that a client may ask to wait for what changes meanwhile. */
#define MOST_SECONDS 3600

/* A profile of one mode, as last made. */
struct kept_profile {
	struct profile *profile;
	double made_at;
};

struct serve {
	const struct serve_options *options;
	struct session *session;
	struct metrics *metrics;
	struct kept_profile kept[MOST_COLLECTORS]; /* by mode */
	double profile_seconds;			   /* that the last ones took to make */
};

/* What a request waits for: the changes since then. */
struct pending {
	struct profile *before;
	double end;
};

static void free_pending(void *state)
{
	struct pending *pending = state;

	profile__free(pending->before);
	free(pending);
}

static int make_profile(struct serve *serve, size_t mode, struct profile **profile)
{
	const struct profile_options how = {.order = BY_VALUE};

	return session__profile(serve->session, serve->options->recorded->modes[mode], &how,
				profile);
}

/* A profile that the server keeps. */
static int find_profile(struct serve *serve, size_t mode, const struct profile **result)
{
	struct kept_profile *kept = &serve->kept[mode];
	double now = clock_seconds(CLOCK_MONOTONIC);
	struct profile *profile;
	int err;

	if (!kept->profile || now - kept->made_at >= FRESH_SECONDS) {
		err = make_profile(serve, mode, &profile);
		if (err)
			return err;
		profile__free(kept->profile);
		kept->profile = profile;
		kept->made_at = clock_seconds(CLOCK_MONOTONIC);
	}
	*result = kept->profile;
	return 0;
}

/* The mode that ?mode= names, or the first. -ENOENT: it is not recorded. */
static int find_mode(const struct serve *serve, struct http_request *request)
{
	const struct session_options *recorded = serve->options->recorded;
	const char *name = http_request__parameter(request, "mode");
	size_t i;

	for (i = 0; i < recorded->nmodes; i++) {
		if (!name || !strcmp(recorded->modes[i]->name, name))
			return i;
	}
	return -ENOENT;
}

/*
 * Answers.
 */

/* Takes over what was written to a stream. */
struct text_body {
	char *text;
	size_t size;
	FILE *stream;
};

static int open_body(struct text_body *body)
{
	body->text = NULL;
	body->stream = open_memstream(&body->text, &body->size);
	return body->stream ? 0 : -ENOMEM;
}

static int take_body(struct text_body *body, int err, const char *type,
		     struct http_response *response)
{
	if (fclose(body->stream) && !err)
		err = -ENOMEM;
	if (err) {
		free(body->text);
		return err;
	}
	response->type = type;
	response->body = body->text;
	response->size = body->size;
	return 0;
}

static int answer_text(const char *type, const char *text, struct http_response *response)
{
	response->type = type;
	response->size = strlen(text);
	response->body = strdup(text);
	return response->body ? 0 : -ENOMEM;
}

static int answer_page(struct serve *serve, struct http_request *request,
		       struct http_response *response)
{
	(void)serve;
	(void)request;
	return answer_text("text/html; charset=utf-8", page_html, response);
}

static int answer_health(struct serve *serve, struct http_request *request,
			 struct http_response *response)
{
	(void)serve;
	(void)request;
	return answer_text("text/plain; charset=utf-8", "ok\n", response);
}

static double own_cpu_seconds(void)
{
	struct rusage used, children;

	getrusage(RUSAGE_SELF, &used);
	getrusage(RUSAGE_CHILDREN, &children);
	return used.ru_utime.tv_sec + used.ru_stime.tv_sec + children.ru_utime.tv_sec +
	       children.ru_stime.tv_sec +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec + children.ru_utime.tv_usec +
		children.ru_stime.tv_usec) /
		       1e6;
}

static int answer_metrics(struct serve *serve, struct http_request *request,
			  struct http_response *response)
{
	const struct profile *profiles[MOST_COLLECTORS];
	const char *accepts = http_request__header(request, "Accept");
	struct metrics_input input = {
		.profiles = profiles,
		.n = serve->options->recorded->nmodes,
		.openmetrics = accepts && strstr(accepts, "application/openmetrics-text"),
		.rss_bytes = proc_rss(getpid()),
	};
	double begin = clock_seconds(CLOCK_MONOTONIC);
	struct text_body body;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < input.n; i++)
		err = find_profile(serve, i, &profiles[i]);
	input.cpu_seconds = own_cpu_seconds();
	input.scrape_seconds = clock_seconds(CLOCK_MONOTONIC) - begin;
	if (!err)
		err = open_body(&body);
	if (err)
		return err;
	err = metrics__write(serve->metrics, &input, body.stream);
	return take_body(&body, err,
			 input.openmetrics
				 ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				 : "text/plain; version=0.0.4; charset=utf-8",
			 response);
}

/* Whether ?pid= and ?program= select a process. */
static bool is_selected(struct http_request *request, const struct profile_process *process)
{
	const char *pid = http_request__parameter(request, "pid");
	const char *program = http_request__parameter(request, "program");
	auto_free char *name = program ? program_name(process) : NULL;

	return (!pid || strtol(pid, NULL, 10) == process->pid) &&
	       (!program || (name && !strcmp(name, program)));
}

/* Writes what is selected of a profile. */
static int render(struct serve *serve, struct http_request *request, const struct profile *profile,
		  const struct renderer *renderer, const char *type, struct http_response *response)
{
	struct profile selected = *profile;
	struct text_body body;
	size_t i;
	int err;

	selected.processes = calloc(profile->nprocesses + 1, sizeof(*selected.processes));
	if (!selected.processes)
		return -ENOMEM;
	selected.nprocesses = 0;
	for (i = 0; i < profile->nprocesses; i++) {
		if (is_selected(request, &profile->processes[i]))
			selected.processes[selected.nprocesses++] = profile->processes[i];
	}
	err = open_body(&body);
	if (!err) {
		err = renderer->render(&selected, serve->options->render, body.stream);
		err = take_body(&body, err, type, response);
	}
	free(selected.processes);
	return err;
}

static int answer_now(struct serve *serve, struct http_request *request, const char *format,
		      const char *type, struct http_response *response)
{
	const struct profile *profile;
	int mode = find_mode(serve, request), err;

	if (mode < 0) {
		response->status = 400;
		return 0;
	}
	err = find_profile(serve, mode, &profile);
	return err ? err : render(serve, request, profile, renderer__find(format), type, response);
}

static int answer_profile(struct serve *serve, struct http_request *request,
			  struct http_response *response)
{
	return answer_now(serve, request, "json", "application/json", response);
}

static int answer_flame(struct serve *serve, struct http_request *request,
			struct http_response *response)
{
	return answer_now(serve, request, "svg", "image/svg+xml", response);
}

/* Remembers how it is now, to be asked again in that many seconds. */
static int begin_delta(struct serve *serve, struct http_request *request, int mode, double seconds,
		       struct http_response *response)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	int err = pending ? make_profile(serve, mode, &pending->before) : -ENOMEM;

	if (err) {
		free(pending);
		return err;
	}
	pending->end = clock_seconds(CLOCK_MONOTONIC) + seconds;
	*http_request__state(request) = pending;
	response->later = seconds;
	return 0;
}

static int end_delta(struct serve *serve, struct http_request *request, int mode,
		     const struct pending *pending, struct http_response *response)
{
	struct profile *now;
	double left = pending->end - clock_seconds(CLOCK_MONOTONIC);
	int err;

	if (left > 0) {
		response->later = left;
		return 0;
	}
	err = make_profile(serve, mode, &now);
	if (!err) {
		now->duration_seconds -= pending->before->duration_seconds;
		err = profile__subtract(now, pending->before);
	}
	if (!err)
		err = render(serve, request, now, renderer__find("pprof"),
			     "application/octet-stream", response);
	profile__free(now);
	return err;
}

/* As Go's net/http/pprof has it: with ?seconds=N what changes in that time. */
static int answer_pprof(struct serve *serve, struct http_request *request,
			struct http_response *response)
{
	const char *seconds = http_request__parameter(request, "seconds");
	const struct pending *pending = *http_request__state(request);
	int mode = find_mode(serve, request);
	double wait = 0;
	char *end;

	if (seconds) {
		wait = strtod(seconds, &end);
		if (*end || end == seconds || !(wait > 0 && wait <= MOST_SECONDS))
			mode = -EINVAL;
	}
	if (mode < 0) {
		response->status = 400;
		return 0;
	}
	if (pending)
		return end_delta(serve, request, mode, pending, response);
	return seconds ? begin_delta(serve, request, mode, wait, response)
		       : answer_now(serve, request, "pprof", "application/octet-stream", response);
}

static int answer(void *context, struct http_request *request, struct http_response *response)
{
	static const struct {
		const char *path;
		int (*answer)(struct serve *serve, struct http_request *request,
			      struct http_response *response);
	} pages[] = {
		{"/", answer_page},
		{"/metrics", answer_metrics},
		{"/api/v1/profile", answer_profile},
		{"/debug/pprof/heap", answer_pprof},
		{"/debug/pprof/allocs", answer_pprof},
		{"/flame.svg", answer_flame},
		{"/healthz", answer_health},
	};
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!strcmp(http_request__path(request), pages[i].path))
			return pages[i].answer(context, request, response);
	}
	response->status = 404;
	return 0;
}

static int serve_on(struct serve *serve, struct http_server *server)
{
	double due;
	int err = 0;

	while (!err && !signals__caught() && session__is_alive(serve->session)) {
		due = http_server__run(server);
		err = session__wait(serve->session, fmin(due, FRESH_SECONDS / 4));
	}
	return err;
}

int serve__run(const struct serve_options *options)
{
	struct http_options http = options->http;
	struct serve serve = {.options = options};
	struct http_server *server = NULL;
	size_t i;
	int err;

	http.free_state = free_pending;
	serve.metrics = metrics__new(options->top);
	err = serve.metrics ? 0 : -ENOMEM;
	/* Whoever cannot listen should not attach. */
	if (!err)
		err = http_server__new(&http, options->recorded->loop, answer, &serve, &server);
	if (!err)
		err = rights__keep_recording();
	if (!err)
		err = session__new(options->recorded, &serve.session);
	if (!err) {
		log_notice("serving at %s://%s:%s/", http.certificate ? "https" : "http", http.host,
			   http.port);
		err = serve_on(&serve, server);
	}
	http_server__free(server);
	session__free(serve.session);
	for (i = 0; i < MOST_COLLECTORS; i++)
		profile__free(serve.kept[i].profile);
	metrics__free(serve.metrics);
	return err;
}
