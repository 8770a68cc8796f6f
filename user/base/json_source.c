// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "base/json_source.h"

void json_source__open(struct json_source *source, FILE *file)
{
	source->file = file;
	source->nhead = fread(source->head, 1, sizeof(source->head), file);
}

bool json_source__mentions(const struct json_source *source, const char *word)
{
	return memmem(source->head, source->nhead, word, strlen(word));
}

static void say_syntax(yajl_handle handle, const unsigned char *text, size_t length, char *why,
		       size_t size)
{
	unsigned char *error = yajl_get_error(handle, 0, text, length);
	const char *said = error ? (const char *)error : "";

	if (strstr(said, "trailing garbage"))
		said = "something follows it: record -i writes one profile after the other, and "
		       "here only one can be taken";
	snprintf(why, size, "%.*s", (int)strcspn(said, "\n"), said);
	if (error)
		yajl_free_error(handle, error);
}

int json_source__parse(struct json_source *source, const yajl_callbacks *callbacks, void *context,
		       char *why, size_t size)
{
	yajl_handle handle = yajl_alloc(callbacks, NULL, context);
	unsigned char text[64 << 10];
	yajl_status status;
	size_t length = source->nhead;

	if (!handle)
		return -ENOMEM;
	memcpy(text, source->head, length);
	do {
		status = yajl_parse(handle, text, length);
	} while (status == yajl_status_ok && (length = fread(text, 1, sizeof(text), source->file)));
	if (status == yajl_status_ok && !ferror(source->file))
		status = yajl_complete_parse(handle);
	if (status == yajl_status_error)
		say_syntax(handle, text, length, why, size);
	yajl_free(handle);
	if (ferror(source->file))
		return -EIO;
	return status == yajl_status_ok		       ? 0
	       : status == yajl_status_client_canceled ? -ECANCELED
						       : -EINVAL;
}
