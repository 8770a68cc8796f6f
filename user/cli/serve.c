// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "cli/options.h"
#include "cli/token.h"
#include "serve/serve.h"

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT "9709"

/* Lines of each program in /metrics. */
#define DEFAULT_TOP 20
#define MOST_TOP    1000

enum {
	OPTION_LISTEN = 1100,
	OPTION_CERTIFICATE,
	OPTION_KEY,
	OPTION_TOKEN_FILE,
	OPTION_OPEN,
	OPTION_SERVE_TOP,
};

/* Whether only this machine can reach an address. */
static bool is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1") || !strcasecmp(host, "localhost");
}

static int run_serve(const struct options *options)
{
	struct serve_options serve = {
		.render = &options->render,
		.http = options->http,
		.top = options->render.top,
	};
	struct session_options recorded;
	struct loop *loop = NULL;
	char *token = NULL;
	int err = options->token_file ? token__read(options->token_file, &token) : 0;

	if (err)
		return err;
	serve.http.token = token;
	serve.http.only_local = !token && is_loopback(serve.http.host);
	signals__catch();
	err = loop__new(&loop);
	if (!err) {
		recorded = options__session(options, loop);
		recorded.no_sources = true;
		serve.recorded = &recorded;
		err = serve__run(&serve);
	}
	loop__free(loop);
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
	return err;
}

/* Splits HOST:PORT, [HOST]:PORT or :PORT, in place. */
static int parse_listen(struct http_options *http, char *text)
{
	char *colon = strrchr(text, ':'), *host = text;

	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return usage_error("--listen %s: give HOST:PORT, as " DEFAULT_HOST ":" DEFAULT_PORT,
				   text);
	*colon = '\0';
	if (host[0] == '[' && colon[-1] == ']') {
		host++;
		colon[-1] = '\0';
	}
	http->host = host[0] ? host : "0.0.0.0";
	http->port = colon + 1;
	return 0;
}

static int parse_serve_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_LISTEN:
		return parse_listen(&options->http, arg);
	case OPTION_CERTIFICATE:
		options->http.certificate = arg;
		return 0;
	case OPTION_KEY:
		options->http.key = arg;
		return 0;
	case OPTION_TOKEN_FILE:
		options->token_file = arg;
		return 0;
	case OPTION_OPEN:
		options->is_open = true;
		return 0;
	case OPTION_SERVE_TOP:
		return options__parse_number("--top", arg, 1, MOST_TOP, &options->render.top);
	case ARGP_KEY_INIT:
		options->http.host = DEFAULT_HOST;
		options->http.port = DEFAULT_PORT;
		options->render.top = DEFAULT_TOP;
		options__init_children(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int check_serve(const struct options *options)
{
	const struct http_options *http = &options->http;

	if (options->argv)
		return usage_error("serve starts no program; to record one: pymemtop record -- %s",
				   options->argv[0]);
	if (!http->certificate != !http->key)
		return usage_error("--tls-certificate and --tls-key go together");
	if (!is_loopback(http->host) && !options->is_open &&
	    !(http->certificate && options->token_file))
		return usage_error("--listen %s: others can reach that, so give --tls-certificate, "
				   "--tls-key and --token-file; or --open, if everybody may see "
				   "which lines hold memory here",
				   http->host);
	return 0;
}

static const struct argp_option serve_options[] = {
	{"listen", OPTION_LISTEN, "HOST:PORT", 0,
	 "Where to serve (" DEFAULT_HOST ":" DEFAULT_PORT ")", 1},
	{"tls-certificate", OPTION_CERTIFICATE, "FILE", 0,
	 "Serve HTTPS, with this certificate (PEM)", 1},
	{"tls-key", OPTION_KEY, "FILE", 0, "The private key of the certificate (PEM)", 1},
	{"token-file", OPTION_TOKEN_FILE, "FILE", 0,
	 "Answer only who gives the token in this file, as Authorization: Bearer TOKEN", 1},
	{"open", OPTION_OPEN, NULL, 0,
	 "Answer everybody who can reach an address that is not this machine's own", 1},
	{"top", OPTION_SERVE_TOP, "N", 0,
	 "/metrics: lines of each program, before all others as one (20)", 1},
	{0},
};

static const struct argp serve_argp = {
	.options = serve_options,
	.parser = parse_serve_option,
	.children = observing_children,
	.args_doc = "",
	.doc = "Records all CPython processes of the host, or those of -p, and serves over HTTP what holds "
	       "their memory.\v"
	       "/metrics is for Prometheus and what reads its formats, /debug/pprof/heap (with ?seconds=N "
	       "what changes meanwhile, ?program=NAME, ?pid=N, ?mode=MODE) for go tool pprof and "
	       "collectors of profiles, /api/v1/profile the same as json, / a page.\n\n"
	       "Examples:\n"
	       "  sudo pymemtop serve\n"
	       "  sudo pymemtop serve -m rss,heap --name gunicorn\n"
	       "  go tool pprof http://127.0.0.1:9709/debug/pprof/heap",
};

const struct command serve_command = {
	.name = "serve",
	.help = "a daemon with metrics, profiles and a page over HTTP: pymemtop serve --help",
	.argp = &serve_argp,
	.takes_all = true,
	.observes = true,
	.check = check_serve,
	.run = run_serve,
};
