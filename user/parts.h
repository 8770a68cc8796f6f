/* SPDX-License-Identifier: BSD-2-Clause */
/* What every event source is made of, besides its own BPF object. */
#ifndef PARTS_H
#define PARTS_H

#include "books.h"
#include "probing.h"
#include "processes.h"
#include "source.h"

struct parts {
	const struct bpf_object *object;
	struct books *books;
	struct probes *probes;
	struct processes *processes;
};

/*
 * After the load of an object with bpf/books.bpf.h, lifecycle.bpf.h, and what they
 * need; see books__new(). 0 or -errno, having said why; parts__close() in either case.
 */
int parts__open(struct parts *parts, const struct bpf_object *object, struct numbers *numbers,
		const struct source_options *options, struct stacks *stacks);
void parts__close(struct parts *parts);

/* Says why an object cannot be loaded, in the one line that it gets. */
void parts__say_not_loaded(int err);

/* Opens the targets' books, and puts the probes on them; the source admits them when
 * all else is in place. 0 or -errno, having said why. */
int parts__attach(struct parts *parts, struct target *const *targets, size_t n,
		  const struct probe_wish *wish, bool follow);

/* As a source's poll(). */
int parts__poll(struct parts *parts, int timeout_ms);

#endif /* PARTS_H */
