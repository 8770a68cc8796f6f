/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon: records, and answers over HTTP. */
#ifndef SERVE_H
#define SERVE_H

#include "render/renderer.h"
#include "serve/http.h"
#include "session/session.h"

struct serve_options {
	const struct session_options *recorded;
	const struct render_options *render;
	struct http_options http;
	size_t top; /* lines of each program in /metrics */
};

/* Serves until a signal comes. 0, or -errno, having said why. */
int serve__run(const struct serve_options *options);

#endif /* SERVE_H */
