/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books that every event source's programs keep (bpf/books.bpf.h): sizes them,
 * reads them, and hands on what comes through their ring.
 */
#ifndef BOOKS_H
#define BOOKS_H

#include <bpf/libbpf.h>

#include "pymemtop.h"
#include "snapshot.h"
#include "source.h"

struct books;

/*
 * Before the load: fills in the constants that all sources' programs have, by
 * reads_resident, and gives the maps that all have their sizes. can_allocate: the programs run where the kernel can make more elements
 * of a hash than the few that it keeps ready: not with interrupts off. 0 or -errno.
 */
int books__configure(struct bpf_object *object, struct config *config,
		     const struct source_options *options, bool can_allocate);

/*
 * After the load. numbers is where the programs keep theirs, and stacks receives what
 * they send; both outlive the books. 0 and the books, or -errno.
 */
int books__new(const struct bpf_object *object, const struct numbers *numbers,
	       const struct source_options *options, struct stacks *stacks, struct books **books);

/* NULL is allowed. */
void books__free(struct books *books);

/* Snapshots count their seconds from here on. */
void books__begin(struct books *books);

/* Waits for up to timeout_ms milliseconds for what the programs send, and hands it on.
 * 0 or -errno; -EINTR where a signal came. */
int books__poll(struct books *books, int timeout_ms);

/* The processes' books as they are now, by id from 1; n with the unused [0]. */
const struct process_book *books__processes(const struct books *books, size_t *n);

/* 0 and the state of things, which the caller frees, or -errno. */
int books__snapshot(struct books *books, struct snapshot **snapshot);

#endif /* BOOKS_H */
