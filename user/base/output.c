// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"

struct output {
	FILE *stream;
	const char *path; /* NULL: the stream is stdout, or a device */
	char *beside;	  /* the file written to until it is complete */
};

static int say_failure(const struct output *output, int err)
{
	if (err == -EPIPE)
		log_error("the reader of the output closed it early");
	else
		log_error("%s cannot be written: %s", output->path ? output->path : "stdout",
			  strerror(-err));
	return err;
}

/* Opens a file beside the final one, readable by its owner only: it quotes files that not everybody
 * may read. */
static int open_beside(struct output *output)
{
	int fd;

	if (asprintf(&output->beside, "%s.XXXXXX", output->path) < 0)
		return -ENOMEM;
	fd = mkostemp(output->beside, O_CLOEXEC);
	if (fd < 0) {
		free(output->beside);
		output->beside = NULL;
		return -errno;
	}
	output->stream = fdopen(fd, "w");
	return output->stream ? 0 : -errno;
}

int output__new(const char *path, struct output **result)
{
	struct output *output = calloc(1, sizeof(*output));
	struct stat st;
	int err = 0;

	if (!output)
		return -ENOMEM;
	output->path = path;
	if (!path) {
		output->stream = stdout;
	} else if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		/* /dev/null, a FIFO: write to it directly. A directory fails here. */
		output->stream = fopen(path, "we");
		err = output->stream ? 0 : -errno;
	} else {
		err = open_beside(output);
	}
	if (err) {
		say_failure(output, err);
		output__free(output);
		return err;
	}
	*result = output;
	return 0;
}

FILE *output__stream(struct output *output)
{
	return output->stream;
}

int output__flush(struct output *output)
{
	if (!fflush(output->stream) && !ferror(output->stream))
		return 0;
	return say_failure(output, errno ? -errno : -EIO);
}

int output__commit(struct output *output)
{
	int err = output__flush(output);

	if (err || !output->beside)
		return err;
	if (rename(output->beside, output->path))
		return say_failure(output, -errno);
	free(output->beside);
	output->beside = NULL;
	return 0;
}

void output__free(struct output *output)
{
	if (!output)
		return;
	if (output->stream && output->stream != stdout)
		fclose(output->stream);
	if (output->beside) {
		unlink(output->beside);
		free(output->beside);
	}
	free(output);
}

int output__write(const char *path, int (*write)(const void *context, FILE *out),
		  const void *context)
{
	struct output *output;
	int err = output__new(path, &output);

	if (err)
		return err;
	err = write(context, output__stream(output));
	/* What is wrong with the stream itself, flushing says. */
	if (!err || ferror(output__stream(output)))
		err = output__flush(output);
	if (!err)
		err = output__commit(output);
	output__free(output);
	return err;
}
