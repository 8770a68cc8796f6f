// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "serve/fetch.h"

/* An answer that is larger, or takes longer, is given up. */
#define MOST_BYTES	(256 << 20)
#define CONNECT_SECONDS 10L
#define MOST_SECONDS	60L

static size_t take_bytes(char *data, size_t size, size_t n, void *context)
{
	struct fetched *fetched = context;
	char *more;

	n *= size;
	if (n > MOST_BYTES - fetched->size)
		return 0;
	/* In steps that double: a power of two is reached. */
	if (!fetched->body || (fetched->size + n) / 65536 != fetched->size / 65536) {
		more = realloc(fetched->body, 2 * (fetched->size + n) + 65536);
		if (!more)
			return 0;
		fetched->body = more;
	}
	memcpy(fetched->body + fetched->size, data, n);
	fetched->size += n;
	fetched->body[fetched->size] = '\0';
	return n;
}

/* "a=1&b=2", each escaped. NULL if memory is short. */
static char *encode(CURL *curl, const char *const *form)
{
	char *text = NULL, *value;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (; out && form[0]; form += 2) {
		value = curl_easy_escape(curl, form[1], 0);
		fprintf(out, "%s%s=%s", size || ftell(out) ? "&" : "", form[0], value ? value : "");
		curl_free(value);
	}
	if (!out || fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void set_options(CURL *curl, const struct fetch_options *options)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, MOST_SECONDS);
	if (options->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca);
	if (options->token) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, options->token);
	}
}

int fetch(const struct fetch_options *options, const char *url, const char *const *form,
	  struct fetched *fetched, char *why, size_t size)
{
	CURL *curl = curl_easy_init();
	char *text = curl ? encode(curl, form) : NULL;
	CURLcode code;

	*fetched = (struct fetched){0};
	snprintf(why, size, "out of memory");
	if (!text) {
		curl_easy_cleanup(curl);
		return -ENOMEM;
	}
	set_options(curl, options);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetched);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &fetched->status);
	curl_easy_cleanup(curl);
	free(text);
	if (code == CURLE_OK && (fetched->body || (fetched->body = calloc(1, 1))))
		return 0;
	snprintf(why, size, "%s",
		 code == CURLE_WRITE_ERROR ? "the answer is too large" : curl_easy_strerror(code));
	free(fetched->body);
	fetched->body = NULL;
	return -EIO;
}
