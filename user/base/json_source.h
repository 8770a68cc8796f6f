/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON that is read from a stream, without a tree of it. */
#ifndef JSON_SOURCE_H
#define JSON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <yajl/yajl_parse.h>

#define JSON_HEAD 4096

struct json_source {
	FILE *file;
	size_t nhead;
	unsigned char head[JSON_HEAD]; /* its beginning, which has been read */
};

/* Reads the beginning, to tell what it is. The stream outlives the source. */
void json_source__open(struct json_source *source, FILE *file);

/* Whether a word is in the beginning. */
bool json_source__mentions(const struct json_source *source, const char *word);

/*
 * Parses all of it; a callback that returns 0 ends that. Returns 0; -EIO; -ENOMEM; -ECANCELED: a
 * callback has ended it; or -EINVAL: it is no JSON, and why, which has size bytes, says what is
 * wrong.
 */
int json_source__parse(struct json_source *source, const yajl_callbacks *callbacks, void *context,
		       char *why, size_t size);

#endif /* JSON_SOURCE_H */
